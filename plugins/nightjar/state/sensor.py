"""A deferrable sensor: waits until a function accepts the items that it watches in the state table."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from nightjar.busy import ERRORS, busy_reason
from nightjar.denied import fail_if_denied
from nightjar.failures import ReportedElsewhereError
from nightjar.outcomes import ExceptionTypes, outcomes
from nightjar.state.hook import Item, StateHook
from nightjar.state.trigger import ItemKey, StateTrigger, items_digest

PAUSE_SECONDS = 0.5  # between two reads in the worker
NOTHING_SEEN = ""  # no digest: whatever the trigger reads has changed


def utc_now() -> datetime:
    """Returns the present."""
    return datetime.now(UTC)


class StateSensor(BaseOperator):
    """Reads the items and calls ``check`` with them; defers until one of them changes, then reads and checks again.

    ``check`` runs in the worker, so it may come from anywhere. The task returns what ``check`` returns. It fails at
    once, without a retry, when the deadline passes first, or when ``check`` raises one of the exceptions in ``fail``.

    Args:
        table: The state table.
        keys: (pk, sk) of each item. Templated.
        check: Called with a mapping of (pk, sk) to the item's attributes (None if the item does not exist) and with
            ``arguments``; returns None while the wait has to go on.
        arguments: Keyword arguments of ``check``. Templated.
        fail: Exceptions of ``check`` after which the task fails without a retry.
        reported: Those of them whose cause another run has reported (``nightjar.failures``).
        cause_reported: Called at the deadline with the task's context: whether another run's failure is why the wait
            was in vain.
        unmet: What is not true yet, for the text of the failure at the deadline: ``<unmet> within <seconds> s …``.
            Templated.
        advice: What to do next, for the same text. Templated.
        deadline_seconds: How long to wait, from the task's start.
        poll_seconds: Seconds between two reads while the task is deferred.
        patience_seconds: How long to read again in the worker before that: a deferral costs a second start of the task.
        clock: Returns the present.
    """

    template_fields: Sequence[str] = ("keys", "arguments", "unmet", "advice")

    def __init__(
        self,
        *,
        table: str,
        keys: Sequence[tuple[str, str]],
        check: Callable[..., Any],
        unmet: str,
        advice: str,
        deadline_seconds: float,
        arguments: Mapping[str, Any] | None = None,
        fail: ExceptionTypes = (),
        reported: ExceptionTypes = (),
        cause_reported: Callable[[Any], bool] = lambda context: False,
        poll_seconds: float = 30,
        patience_seconds: float = 0,
        clock: Callable[[], datetime] = utc_now,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.table = table
        self.keys = keys
        self.check = check
        self.arguments = arguments or {}
        self.fail = fail
        self.reported = reported
        self.cause_reported = cause_reported
        self.unmet = unmet
        self.advice = advice
        self.deadline_seconds = deadline_seconds
        self.poll_seconds = poll_seconds
        self.patience_seconds = patience_seconds
        self.clock = clock

    @fail_if_denied()
    def execute(self, context: Any) -> Any:
        """Checks the items for the first time, and for a few seconds."""
        deadline = (self.clock() + timedelta(seconds=self.deadline_seconds)).isoformat()
        patient_until = time.monotonic() + self.patience_seconds
        hook = StateHook(self.table)
        items = self._read(hook, deadline)
        while (result := self._check(items)) is None and time.monotonic() + PAUSE_SECONDS <= patient_until:
            time.sleep(PAUSE_SECONDS)
            items = self._read(hook, deadline)
        if result is None:
            self._defer(items, deadline)
        return result

    def resume(self, context: Any, event: dict[str, Any], deadline: str) -> Any:
        """Checks the items again, after one of them has changed or the deadline has passed."""
        items = self._read(StateHook(self.table), None if event["late"] else deadline)
        result = self._check(items)
        if result is None and event["late"]:
            failure = ReportedElsewhereError if self.cause_reported(context) else AirflowFailException
            raise failure(f"{self.unmet} within {self.deadline_seconds:g} s ({_described(items)}). {self.advice}")
        if result is None:
            self._defer(items, deadline)
        return result

    def _read(self, hook: StateHook, deadline: str | None) -> dict[ItemKey, Item | None]:
        """Reads the items. While AWS is busy, until the deadline, it defers: a task has few tries."""
        # Templates may have rendered a key as another type, such as a date.
        keys = [(str(pk), str(sk)) for pk, sk in self.keys]
        try:
            return {key: hook.get(*key) for key in keys}
        except ERRORS as error:
            if deadline is None or busy_reason(error) is None:
                raise
            self.log.warning("AWS is busy: deferring. %s", error)
            self._wait(keys, NOTHING_SEEN, deadline)

    def _check(self, items: Mapping[ItemKey, Item | None]) -> Any:
        with outcomes(fail=self.fail, reported=self.reported):
            return self.check(items, **self.arguments)

    def _defer(self, items: Mapping[ItemKey, Item | None], deadline: str) -> NoReturn:
        self.log.info("Waiting: %s", _described(items))
        self._wait(list(items), items_digest(items), deadline)

    def _wait(self, keys: Sequence[ItemKey], seen: str, deadline: str) -> NoReturn:
        trigger = StateTrigger(
            table=self.table, keys=keys, seen=seen, deadline=deadline, poll_seconds=self.poll_seconds
        )
        self.defer(trigger=trigger, method_name="resume", kwargs={"deadline": deadline})


def _described(items: Mapping[ItemKey, Item | None]) -> str:
    return "; ".join(f"{pk} {sk} is {item or 'absent'}" for (pk, sk), item in items.items())
