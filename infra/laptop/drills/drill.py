"""The course of a drill: a cause begins, the alarm fires and is in the inbox; the cause ends, and the alarm clears."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from infra.laptop.bootstrap import alarms
from infra.laptop.bootstrap.alarms import MAX_TASKS
from infra.laptop.config import LaptopError
from infra.laptop.drills import scratch
from infra.laptop.drills.cause import Cause
from infra.laptop.drills.target import Target
from infra.laptop.inbox.store import Inbox

FIRE_SECONDS, CLEAR_SECONDS, TOLD_SECONDS = 420.0, 600.0, 60.0
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Drill:
    """How an alarm is caused.

    Attributes:
        cause: What causes it.
        what: That, in a sentence.
        threshold: A threshold for the copy, where the real one cannot be reached in minutes.
        max_tasks: The most tasks that the copy assumes.
    """

    cause: Callable[[Target], Cause]
    what: str
    threshold: float | None = None
    max_tasks: int = MAX_TASKS


@dataclass(frozen=True)
class Result:
    """How a drill went.

    Attributes:
        fired: Seconds from the cause until the alarm.
        cleared: Seconds from the mend until the alarm was over.
        reason: Why it went off, in CloudWatch's words.
    """

    fired: float
    cleared: float
    reason: str


def run(target: Target, name: str, drill: Drill) -> Result:
    """Runs a drill.

    Raises:
        LaptopError: The alarm did not go off, was not told or did not end; the text says what to look at.
    """
    named = alarms.dimensions(target.aws, target.workload.name)
    known = alarms.read(target.workload.name, target.workload.stream.name, named, drill.max_tasks)
    copies = scratch.of(known, name, drill.threshold)
    for change in copies.changes:
        target.say(f"shortened: {change}")
    if drill.max_tasks != MAX_TASKS:
        target.say(f"shortened: at most {drill.max_tasks} task instead of {MAX_TASKS}")
    cause = drill.cause(target)
    with ExitStack() as stack:
        stack.enter_context(scratch.existing(target.aws, copies))
        stack.callback(cause.close)
        stack.callback(cause.end)
        cause.prepare()
        _wait(target, copies.watched, "OK", CLEAR_SECONDS, "before the drill")
        target.say(f"cause: {drill.what}")
        began = time.monotonic()
        cause.begin()
        reason = _wait(target, copies.watched, "ALARM", FIRE_SECONDS, "although it was caused")
        fired = time.monotonic() - began
        target.say(f"fired after {fired:.0f} s: {reason}")
        _told(target, copies.tells, "ALARM")
        began = time.monotonic()
        cause.end()
        target.say("the cause is removed")
        _wait(target, copies.watched, "OK", CLEAR_SECONDS, "after the cause was removed")
        cleared = time.monotonic() - began
        target.say(f"cleared after {cleared:.0f} s")
        _told(target, copies.tells, "OK")
    return Result(fired, cleared, reason)


def _wait(target: Target, alarm: str, state: str, seconds: float, when: str) -> str:
    """Waits for an alarm's state; returns the reason."""
    deadline = time.monotonic() + seconds
    while True:
        found = scratch.state(target.aws, alarm)
        if found["StateValue"] == state:
            return str(found["StateReason"])
        if time.monotonic() > deadline:
            raise LaptopError(
                f"{alarm} is {found['StateValue']} and not {state} {when}, after {seconds:.0f} s. "
                f"CloudWatch's reason: {found['StateReason']}"
            )
        time.sleep(_POLL_SECONDS)


def _told(target: Target, alarm: str, state: str) -> None:
    """Waits until the inbox has a message of an alarm."""
    inbox, deadline = Inbox(target.aws, target.config.state), time.monotonic() + TOLD_SECONDS
    while True:
        newest = next((one for one in inbox.collect() if one.alarm and one.alarm.name == alarm), None)
        if newest and newest.alarm and newest.alarm.state == state:
            target.say(f"in the inbox: {newest.subject}")
            return
        if time.monotonic() > deadline:
            raise LaptopError(
                f"{alarm} is {state}, but the inbox has no message of it after {TOLD_SECONDS:.0f} s. Look at its "
                "history (`aws cloudwatch describe-alarm-history`): it says whether SNS got the message."
            )
        time.sleep(_POLL_SECONDS)
