"""What a process run says in its note, and the pages that it links to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from include.lake import layout
from include.lake.days import format_days
from include.lake.uris import s3_uri
from include.pipelines.process.choose_days import ChosenDays
from include.pipelines.process.types import ComparedPlan

DATA_DOCS = "Data Docs"


def chosen(days: ChosenDays) -> str:
    """The days that a process or retrain run is for."""
    return f"For {format_days(map(date.fromisoformat, days['days']))}."


def planned(plan: ComparedPlan) -> str:
    """The days that are processed again because of late events; empty if there is none."""
    late = format_days(map(date.fromisoformat, plan["late"]))
    return f"Events of {late} arrived late: processed again." if late else ""


def published(days: Iterable[str]) -> str:
    """The days that were published."""
    return f"Published {format_days(map(date.fromisoformat, days))}."


def audit_pages(workload: str, run: str, bucket: str) -> dict[str, str]:
    """The Data Docs of an audit.

    Args:
        workload: The workload's name.
        run: The transform run that is audited (its submit key).
        bucket: The artifact bucket.
    """
    return {DATA_DOCS: s3_uri(bucket, layout.data_docs_prefix(workload, run) + layout.DATA_DOCS_PAGE)}
