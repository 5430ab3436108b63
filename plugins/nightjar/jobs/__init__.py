"""Remote jobs: submit once, then sense.

One folder for each AWS service (glue, athena, sagemaker, ecs). It holds a reference class for each kind of job, which
knows how the service describes, stops and logs it, and the submit operators. What all services share is here: the
base classes, one sensor, one trigger and one teardown operator. A new service is one new folder (docs/adr/0013).
"""

from nightjar.jobs.group import submit_and_sense
from nightjar.jobs.job import RemoteJob, StoppableJob
from nightjar.jobs.ledger import JobLedger
from nightjar.jobs.sensor import JobSensor
from nightjar.jobs.stop import StopJobsOperator
from nightjar.jobs.submit import Attempt, SubmitOperator

__all__ = [
    "Attempt",
    "JobLedger",
    "JobSensor",
    "RemoteJob",
    "StopJobsOperator",
    "StoppableJob",
    "SubmitOperator",
    "submit_and_sense",
]
