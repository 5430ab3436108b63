"""Arguments of the two Glue jobs of a process run (``include.glue.transform``, ``include.glue.audit``)."""

from __future__ import annotations

from include.lake import layout
from include.lake.uris import s3_uri
from include.pipelines.attempt import ATTEMPT_KEY
from include.pipelines.process.types import ProcessPlan
from include.settings import Settings


def transform_arguments(workload: str, plan: ProcessPlan, settings: Settings) -> dict[str, str]:
    """Returns the arguments of the transform, which writes below the key of its own attempt."""
    return {
        "--workload": workload,
        "--days": plan["days_text"],
        "--inputs": plan["inputs"],
        "--staging": s3_uri(settings.lake_bucket, layout.staging_prefix(workload, ATTEMPT_KEY)),
        "--quarantine": s3_uri(settings.lake_bucket, layout.quarantine_run_prefix(workload, ATTEMPT_KEY)),
        "--code-sha": plan["code_sha"],
    }


def audit_arguments(workload: str, plan: ProcessPlan, run: str, recent: str, settings: Settings) -> dict[str, str]:
    """Returns the arguments of the audit of one transform run (the key of the attempt that succeeded).

    Args:
        workload: The workload's name.
        plan: The plan.
        run: The transform run.
        recent: URI of the list of published days (``include.pipelines.process.recent``).
        settings: The buckets.
    """
    return {
        "--workload": workload,
        "--days": plan["days_text"],
        "--staging": s3_uri(settings.lake_bucket, layout.staging_prefix(workload, run)),
        "--docs": s3_uri(settings.artifact_bucket, layout.data_docs_prefix(workload, run)),
        "--recent": recent,
    }
