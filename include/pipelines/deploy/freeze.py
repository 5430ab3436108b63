"""A deploy freeze: until an instant, no version of a workload is deployed, except that a person goes back (ADR 48).

It is kept in the state table as a log whose newest entry counts: who froze and unfroze, when and why stays on record.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict, cast

from include.errors import ConflictError, NothingToDoError, UserError
from include.lake import state_keys
from include.lake.days import cutoff, parse_day, utc_date
from include.lake.instants import format_instant, parse_instant
from include.pipelines.protocols import StateLog

LONGEST = timedelta(days=92)
SHORTEST_REASON = 10


class Freeze(TypedDict):
    """One entry of the log: a freeze, or the end of one."""

    until: str | None
    """The instant at which the freeze ends by itself; None where the entry ends one."""
    by: str
    """Who has done it."""
    reason: str
    recorded_at: str
    revision: int
    """Number of the entry."""


def freeze(state: StateLog, workload: str, until: datetime, by: str, reason: str, *, at: datetime) -> Freeze:
    """Freezes the deploys of a workload; a freeze that is on is replaced.

    Args:
        state: The state table.
        workload: The workload.
        until: When it ends by itself.
        by: Who freezes.
        reason: Why.
        at: The present.

    Raises:
        UserError: It would end in the past or too late, or there is no reason.
        ConflictError: Somebody else freezes or unfreezes at the same time.
    """
    if not at < until <= at + LONGEST:
        raise UserError(
            f"until: {_shown(until)} is not within {LONGEST.days} days from now ({_shown(at)}). Give an instant, or a "
            f"day, up to {utc_date(at + LONGEST) - timedelta(days=1)}."
        )
    return _append(state, workload, format_instant(until), by, reason, at)


def unfreeze(state: StateLog, workload: str, by: str, reason: str, *, at: datetime) -> Freeze:
    """Ends the freeze of a workload before its time. The arguments are those of :func:`freeze`.

    Raises:
        NothingToDoError: There is none.
        UserError: There is no reason.
        ConflictError: Somebody else freezes or unfreezes at the same time.
    """
    if frozen(state, workload, at) is None:
        raise NothingToDoError(f"The deploys of {workload} are not frozen.")
    return _append(state, workload, None, by, reason, at)


def frozen(state: StateLog, workload: str, at: datetime) -> Freeze | None:
    """Returns the freeze that is on at an instant, or None."""
    newest = _newest(state, workload)
    return newest if newest and newest["until"] and parse_instant(newest["until"]) > at else None


def history(state: StateLog, workload: str) -> list[Freeze]:
    """Returns every freeze and end of one, newest first."""
    items = state.query(state_keys.freeze_partition_key(workload))
    return [cast("Freeze", items[key]) for key in sorted(items, reverse=True)]


def parse_until(text: str) -> datetime:
    """Reads until when to freeze: an instant, or a day, which counts to its end (UTC).

    Raises:
        UserError: It is neither.
    """
    try:
        return cutoff(parse_day(text))
    except UserError:
        pass
    try:
        return parse_instant(text)
    except ValueError as error:
        raise UserError(f"until: {error}, or a day, like 2026-12-27") from None


def sentence(found: Freeze) -> str:
    """Says that deploys are frozen, until when, by whom and why."""
    until = _shown(parse_instant(cast("str", found["until"])))
    return f"Deploys are frozen until {until} by {found['by']}: {found['reason']}"


def _append(state: StateLog, workload: str, until: str | None, by: str, reason: str, at: datetime) -> Freeze:
    if len(reason.strip()) < SHORTEST_REASON:
        raise UserError(f"reason: is shorter than {SHORTEST_REASON} characters. Say why.")
    newest = _newest(state, workload)
    entry: Freeze = {
        "until": until,
        "by": by,
        "reason": reason.strip(),
        "recorded_at": format_instant(at),
        "revision": newest["revision"] + 1 if newest else 1,
    }
    pk, sk = state_keys.freeze_key(workload, entry["revision"])
    if not state.put_if(pk, sk, entry, "attribute_not_exists(pk)"):
        raise ConflictError(
            f"Somebody else has frozen or unfrozen the deploys of {workload} just now. Look, then try again."
        )
    return entry


def _newest(state: StateLog, workload: str) -> Freeze | None:
    newest = state.query(state_keys.freeze_partition_key(workload), last=1)
    return cast("Freeze | None", next(iter(newest.values()), None))


def _shown(instant: datetime) -> str:
    """An instant for a person."""
    return f"{instant:%Y-%m-%d %H:%M} UTC"
