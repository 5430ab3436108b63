"""A person's override: named expectations of a day do not refuse it, for a reason and until a day.

Raw is write-once, so a rule that a day has broken can stay broken for ever. The override is kept in the state table,
and in the day's item once the day is published with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NotRequired, TypedDict

from include.errors import UserError
from include.lake import state_keys
from include.lake.days import cutoff, parse_day, utc_date
from include.lake.instants import format_instant, parse_instant
from include.pipelines.protocols import StateStore

LONGEST = timedelta(days=92)
_CORRECT = "Correct it in the form."
REPORT = ".report"
"""End of the names of expectations about the jobs' own counts. They cannot be overridden: the files are incomplete."""
_DESCRIPTION = (
    "Publish although these expectations failed, for a reason. The refusal names them. The override expires after the "
    "day until. Empty: no override."
)
_FORM: dict[str, Any] = {
    "expectations": {"type": "array", "items": {"type": "string", "minLength": 3}, "minItems": 1},
    "reason": {"type": "string", "minLength": 10},
    "until": {"type": "string", "format": "date"},
}
_EXAMPLE = {"expectations": ["scheduled.volume"], "reason": "heavy snow: few flights", "until": "2026-12-31"}
OVERRIDE_FORM = (_DESCRIPTION, _FORM, _EXAMPLE)
"""Description, properties (JSON Schema) and example of the Param."""


class Override(TypedDict):
    """A recorded override."""

    expectations: list[str]
    """Names, like ``scheduled.volume``."""
    reason: str
    expires: str
    """Instant from which it no longer counts."""
    recorded_at: str
    by: NotRequired[str]
    """Who triggered the run, as Airflow knows them."""


def parse_override(value: Mapping[str, Any] | None, present: datetime, by: str | None) -> Override | None:
    """Checks the form's value.

    Args:
        value: With the keys of ``OVERRIDE_FORM``; None without an override.
        present: The present.
        by: Who triggered the run.

    Raises:
        UserError: A key is missing, unknown or wrong.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != set(_FORM):
        raise UserError(f"override: needs exactly the keys {', '.join(_FORM)}. {_CORRECT}")
    names, reason = value["expectations"], value["reason"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise UserError(f"override.expectations: is not a list of names like scheduled.volume. {_CORRECT}")
    if integrity := [name for name in names if name.endswith(REPORT)]:
        raise UserError(
            f"override.expectations: {', '.join(integrity)} cannot be overridden, because the job's files are "
            "incomplete. Run the day again with fresh set."
        )
    shortest = _FORM["reason"]["minLength"]
    if not isinstance(reason, str) or len(reason.strip()) < shortest:
        raise UserError(f"override.reason: is shorter than {shortest} characters. Say why the day may be published.")
    try:
        expires = cutoff(parse_day(value["until"]))
    except UserError as error:
        raise UserError(f"override.until: {error}") from None
    if not present < expires <= present + LONGEST:
        last = utc_date(present + LONGEST) - timedelta(days=1)
        raise UserError(f"override.until: is not a day from {utc_date(present)} to {last}. {_CORRECT}")
    found: Override = {
        "expectations": sorted(set(names)),
        "reason": reason.strip(),
        "expires": format_instant(expires),
        "recorded_at": format_instant(present),
    }
    return {**found, "by": by} if by else found


def record_override(workload: str, day: str, override: Override, state: StateStore) -> None:
    """Keeps the override of a day; it replaces an earlier one."""
    state.put(*state_keys.override_key(workload, date.fromisoformat(day)), override)


def valid_override(workload: str, day: str, present: str, state: StateStore) -> Override | None:
    """Returns the override of a day unless there is none or it has expired.

    Args:
        workload: The workload's name.
        day: The day (ISO).
        present: The instant (ISO UTC) at which it has to be valid.
        state: The state table.
    """
    item: Any = state.get(*state_keys.override_key(workload, date.fromisoformat(day)))
    return item if item and parse_instant(item["expires"]) > parse_instant(present) else None
