"""The deadline check: tells a person, once, of each night that has not ended by its deadline.

It runs outside Airflow, so it also tells of nights that Airflow never began. It has the standard library and boto3, as
in Lambda's runtime; the package adds ``nights.json`` (the schedules of the workloads) and the parser of their cron
expressions.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import boto3

from infra.lambdas.deadlines.nights import ONE_DAY, Night, Schedule, nights_between, nights_due
from infra.lambdas.deadlines.progress import Missing, Progress
from infra.lambdas.deadlines.told import Told

SCHEDULES = Path(__file__).parents[3] / "nights.json"
NAMESPACE, METRIC = "Nightjar/Platform", "DeadlineCheck"
# How long after its deadline a night is still looked at. The check runs every few minutes; this is for its outages.
LOOK_BACK = timedelta(days=7)
SUBJECT_LIMIT = 100  # characters; SNS refuses a longer subject
SHOWN = 10  # nights in a message

log = logging.getLogger()
log.setLevel(logging.INFO)


class CheckError(Exception):
    """A workload could not be checked. The text names each, and why."""


@dataclass(frozen=True)
class Settings:
    """The function's environment.

    Attributes:
        table: STATE_TABLE.
        topic: TOPIC_ARN, to which messages are published.
        runbook: RUNBOOK, the address of the page that a message names.
        asked: Where data are replayed: workload → the first and the last night that a person has asked for, from the
            file NIGHTS_FILE. None: nights are due by the clock.
    """

    table: str
    topic: str
    runbook: str
    asked: Mapping[str, tuple[date, date]] | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Reads the environment."""
        asked = _read_asked(Path(environment["NIGHTS_FILE"])) if environment.get("NIGHTS_FILE") else None
        return cls(environment["STATE_TABLE"], environment["TOPIC_ARN"], environment["RUNBOOK"], asked)


def _read_asked(file: Path) -> dict[str, tuple[date, date]]:
    """Reads the file that the laptop's ``infra/laptop/bounds.py`` writes; without it nobody has asked for a night."""
    entries = json.loads(file.read_text()) if file.is_file() else {}
    return {
        workload: (date.fromisoformat(entry["first"]), date.fromisoformat(entry["last"]))
        for workload, entry in entries.items()
    }


def handler(event: object, context: object) -> dict[str, list[str]]:
    """What Lambda calls; ``event`` and ``context`` are not used."""
    schedules = {name: Schedule.read(entry) for name, entry in json.loads(SCHEDULES.read_text()).items()}
    return check(schedules, Settings.read(os.environ), datetime.now(UTC))


def check(schedules: Mapping[str, Schedule], settings: Settings, now: datetime) -> dict[str, list[str]]:
    """Tells of every night that has not ended by its deadline; a workload that cannot be read stops no other.

    Args:
        schedules: The workloads.
        settings: The settings.
        now: The present.

    Returns:
        Workload → the nights that a person was told of.

    Raises:
        CheckError: A workload could not be checked. The others were.
    """
    dynamodb, sagemaker = boto3.client("dynamodb"), boto3.client("sagemaker")
    told = Told(settings.table, dynamodb, now)
    result: dict[str, list[str]] = {}
    errors = []
    for workload, schedule in schedules.items():
        progress = Progress(settings.table, workload, dynamodb, sagemaker)
        try:
            result[workload] = _check_workload(workload, schedule, progress, told, settings, now)
        except Exception as error:  # whatever it is, the others must be checked
            errors.append(f"{workload}: {error!r}")
    log.info("%s", json.dumps(result))
    if errors:
        raise CheckError("; ".join(errors))
    boto3.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=[{"MetricName": METRIC, "Value": 1}])
    return result


def _check_workload(
    workload: str, schedule: Schedule, progress: Progress, told: Told, settings: Settings, now: datetime
) -> list[str]:
    missing = partial(progress.missing, deploys=schedule.deploys)
    if settings.asked is not None:
        asked = settings.asked.get(workload)
        overdue = _overdue_turn(workload, schedule, missing, told, asked, now) if asked else []
    else:
        since = max(told.since(workload), now - LOOK_BACK)
        looked_at = [(night, missing(night)) for night in nights_due(schedule, since, now)]
        overdue = [(night, found) for night, found in looked_at if found]
    claimed = [(night, found) for night, found in overdue if told.claim(workload, night.day)]
    if claimed:
        subject, message = describe(workload, claimed, schedule, settings)
        boto3.client("sns").publish(TopicArn=settings.topic, Subject=subject[:SUBJECT_LIMIT], Message=message)
        for night, _ in claimed:
            told.confirm(workload, night.day)
    return [night.day.isoformat() for night, _ in claimed]


def _overdue_turn(
    workload: str,
    schedule: Schedule,
    missing: Callable[[Night], Missing | None],
    told: Told,
    asked: tuple[date, date],
    now: datetime,
) -> list[tuple[Night, Missing]]:
    """Where data are replayed, a night is due ``deadline`` after the one before it has ended: it was not its turn."""
    first, last = asked
    for night in nights_between(schedule, max(first, told.next_night(workload) or first), last):
        if found := missing(night):
            late = told.next_since(workload, night.day) + schedule.deadline <= now
            return [(night, found)] if late else []
    told.set_next(workload, last + ONE_DAY)  # at each check: nobody has asked for that night yet
    return []


def describe(
    workload: str, overdue: Sequence[tuple[Night, Missing]], schedule: Schedule, settings: Settings
) -> tuple[str, str]:
    """Returns subject and text of the message."""
    names = f"{overdue[0][0].day}" if len(overdue) == 1 else f"{len(overdue)} nights"
    parts = [f"Workload: {workload}"]
    for night, missing in overdue[:SHOWN]:
        by_clock = f"It was due {night.due:%Y-%m-%d %H:%M} UTC."
        limit = f"It had {schedule.deadline} since the night before it." if settings.asked else by_clock
        parts.append(f"Night:    {night.day}. {limit}\nMissing:  {missing.what}\nNext:     {missing.advice}")
    if len(overdue) > SHOWN:
        parts.append(f"and {len(overdue) - SHOWN} more nights")
    parts.append(f"You are not told of these nights again. Runbook: {settings.runbook}")
    return f"Nightjar: {workload}: night of {names} has not ended", "\n\n".join(parts)
