"""The documents of a backfill in the artifact bucket: its plan and its report, each as JSON and as a page."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from include.errors import NothingToDoError, RefusedError
from include.lake import layout
from include.lake.fingerprint import canonical_json
from include.lake.uris import s3_uri, split_s3_uri
from include.pipelines.backfill.page import plan_page, report_page
from include.pipelines.backfill.report import BackfillReport
from include.pipelines.backfill.types import BackfillPlan, PlannedBackfill
from include.pipelines.backfill.words import approval_reason, is_empty, plan_sentence
from include.pipelines.protocols import ObjectStore


def backfill_name(first: str, last: str, run_id: str) -> str:
    """The folder of a backfill's documents: its range, and a digest of the DAG run's id, which may hold any sign."""
    return f"{first}_{last}-{hashlib.sha256(run_id.encode()).hexdigest()[:8]}"


def store_plan(plan: BackfillPlan, bucket: str, objects: ObjectStore) -> PlannedBackfill:
    """Writes the plan and its page.

    Args:
        plan: The plan.
        bucket: The artifact bucket.
        objects: S3.

    Raises:
        NothingToDoError: It is a dry run, or there is nothing to do. The text has the plan's sentence and its page.
    """
    uri, page = _store(plan["workload"], plan["backfill"], "plan", plan, plan_page(plan), bucket, objects)
    sentence = plan_sentence(plan)
    if plan["request"]["dry_run"] or is_empty(plan):
        raise NothingToDoError(f"{'Dry run. ' if plan['request']['dry_run'] else ''}{sentence} Plan: {page}")
    return {
        "uri": uri,
        "page": page,
        "sentence": sentence,
        "chunks": [{"run_id": chunk["run_id"], "conf": chunk["conf"]} for chunk in plan["chunks"]],
        "retrains": [{"run_id": step["run_id"], "conf": step["conf"]} for step in plan["retrains"]],
        "concurrency": plan["request"]["concurrency"],
        "approval": approval_reason(plan),
    }


def read_plan(uri: str, objects: ObjectStore) -> BackfillPlan:
    """Reads a plan.

    Raises:
        RefusedError: It is not there.
    """
    found = objects.get_json(*split_s3_uri(uri))
    if found is None:
        raise RefusedError(f"{uri} is not there, so the backfill cannot be reported. Was it deleted?")
    return cast("BackfillPlan", found)


def store_report(report: BackfillReport, bucket: str, objects: ObjectStore) -> str:
    """Writes the report and its page; returns the page's URI."""
    return _store(report["workload"], report["backfill"], "report", report, report_page(report), bucket, objects)[1]


def _store(
    workload: str, backfill: str, name: str, document: Any, page: bytes, bucket: str, objects: ObjectStore
) -> tuple[str, str]:
    keys = [layout.backfill_key(workload, backfill, f"{name}.{kind}") for kind in ("json", "html")]
    for key, body in zip(keys, (canonical_json(document), page), strict=True):
        objects.put(bucket, key, body)
    return s3_uri(bucket, keys[0]), s3_uri(bucket, keys[1])
