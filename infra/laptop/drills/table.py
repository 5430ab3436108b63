"""Which drill each alarm has. A test holds it against ``infra/definitions/alarms.yaml`` and the runbooks."""

from __future__ import annotations

from collections.abc import Mapping

from infra.laptop.drills.checks import LateClock, SilentDeadlines
from infra.laptop.drills.dead_letter import DeadLetter
from infra.laptop.drills.denial import FailingFeedback, UndeliveredPredictions
from infra.laptop.drills.drill import Drill
from infra.laptop.drills.failed_job import FailedJob
from infra.laptop.drills.frozen_task import FrozenTask
from infra.laptop.drills.published import published
from infra.laptop.drills.requests import InvalidRequests, LargeBatches
from infra.laptop.drills.sidecar import BusyCpu, FullMemory
from infra.laptop.drills.slow_reader import SlowReader

DRILLS: Mapping[str, Drill] = {
    "latency": Drill(LargeBatches, "batches of 1000 records, 24 at a time, each of which waits for the others"),
    "error-rate": Drill(FailingFeedback, "outcomes that the service may not put on its stream, so that it answers 503"),
    "client-errors": Drill(InvalidRequests, "requests without any field, which are answered with 422"),
    "memory": Drill(FullMemory, "a container beside the service that keeps three quarters of the task's memory"),
    "cpu": Drill(BusyCpu, "a container beside the service that computes without end"),
    "unhealthy-targets": Drill(FrozenTask, "the processes of a task are stopped, so that it does not answer"),
    "service-down": Drill(FrozenTask, "the processes of a task are stopped, so that it does not answer"),
    "scaling": Drill(BusyCpu, "a busy container beside the service, where no more tasks are allowed", max_tasks=1),
    "training-failed": Drill(FailedJob, "a training job without input data"),
    "drift": Drill(published("drift"), "a monitor's metric that says that three subjects have drifted"),
    "production-accuracy": Drill(
        published("production-accuracy"), "a monitor's metric that says that the AUC is short"
    ),
    "stale-model": Drill(LateClock, "the dead-man check is told that it is four days later"),
    "dead-man": Drill(LateClock, "the dead-man check is told that it is four days later"),
    "iterator-age": Drill(SlowReader, "a reader that begins at the oldest record of the stream", threshold=1000),
    "prediction-log": Drill(UndeliveredPredictions, "predictions that Firehose may not write to the lake", threshold=5),
    "dead-letters": Drill(DeadLetter, "a message in the queue of what could not be ingested"),
    "night-deadline": Drill(SilentDeadlines, "the schedule of the deadline check is disabled"),
}
