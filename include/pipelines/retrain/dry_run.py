"""What a dry run of retrain reports: what the run would do and wait for, from state table and registry alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NoReturn

from include.errors import NothingToDoError, RefusedError
from include.lake import state_keys
from include.lake.days import cutoff, format_days, parse_day
from include.lake.instants import format_instant
from include.pipelines.deploy.live_log import read_pointer
from include.pipelines.process.choose_days import ChosenDays
from include.pipelines.promotion.packages import find_champion, is_overtaken, read_packages
from include.pipelines.retrain.asked import is_backfilled
from include.pipelines.retrain.hooks import RetrainHooks
from include.pipelines.retrain.missing import missing_days, missing_sentence, require_few_missing
from include.pipelines.retrain.plan import published_days
from include.pipelines.retrain.window import window
from include.pipelines.rundate import RunTimes
from include.workloads import Workload


def end_dry_run(
    workload: Workload,
    chosen: ChosenDays,
    hooks: RetrainHooks,
    run: RunTimes,
    params: Mapping[str, Any],
    tuning: str,
) -> NoReturn:
    """Ends a dry run of the chosen day with its report; see :func:`report_dry_run`."""
    is_backfill = is_backfilled(run, params)
    report_dry_run(workload, parse_day(chosen["last"]), hooks, is_backfill=is_backfill, tuning=tuning)


def report_dry_run(
    workload: Workload, day: date, hooks: RetrainHooks, *, is_backfill: bool, tuning: str = ""
) -> NoReturn:
    """Ends a dry run with its report.

    Args:
        workload: The workload.
        day: The day that the run is for.
        hooks: The state table, the model registry and the ECS service.
        is_backfill: :func:`include.pipelines.retrain.asked.is_backfilled`.
        tuning: :func:`include.pipelines.retrain.tuning.tuning_sentence`.

    Raises:
        NothingToDoError: Always; its text is the report.
        LiveStateError: The record of what is live is lost or altered: whom to compare with is not known.
    """
    end, days = cutoff(day), window(workload, cutoff(day))
    published, missing = published_days(workload, end, hooks.state), missing_days(workload, end, hooks.state)
    counts, known = f"{len(published)} of the {len(days)} days", format_instant(end)
    texts = [f"Dry run: would train on {counts} {format_days(days)}, as known at {known}."]
    if hooks.state.get(*state_keys.day_key(workload.name, day)) is None:
        missing.pop(day.isoformat(), None)
        texts.append(f"It would wait until {day} is processed.")
    try:
        require_few_missing(workload, missing)
        texts += [missing_sentence(missing)] if missing else []
    except RefusedError as refusal:
        texts.append(f"It would fail. {refusal}")
    texts += [tuning] if tuning else []
    raise NothingToDoError(" ".join([*texts, _comparison(workload, day, hooks, is_backfill)]))


def _comparison(workload: Workload, day: date, hooks: RetrainHooks, is_backfill: bool) -> str:
    """Whom the candidate would be compared with."""
    end = cutoff(day)
    packages = read_packages(hooks.registry.described())
    backfilled = is_backfill or is_overtaken(packages, end)
    live = read_pointer(workload.name, hooks.state, hooks.service)["version"]
    champion = find_champion(packages, live, end, backfilled=backfilled)
    if champion is None:
        return "The candidate would have no version to be compared with: bar and slices would decide."
    kind = "the newest approved one of its time" if backfilled else "which is live"
    more = " As a backfilled version it would not be deployed." if backfilled else ""
    return f"The candidate would be compared with version {champion.version}, {kind}.{more}"
