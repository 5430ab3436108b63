"""The rule of ``infra/definitions/failed_jobs.yaml``, whose matches are the metric of the alarm ``training-failed``."""

from __future__ import annotations

import json

from infra.laptop.aws import Aws
from infra.laptop.bootstrap.definitions import definition


def create(aws: Aws) -> None:
    """Creates the rule, or updates it.

    It has no target here: on AWS it also sends the job's description to the topic, but on the laptop the failed run's
    message has it.
    """
    rule = definition("failed_jobs")["rule"]
    aws.events.put_rule(**{**rule, "EventPattern": json.dumps(rule["EventPattern"])})
