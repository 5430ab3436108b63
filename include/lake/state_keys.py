"""The keys of the state table. Each function returns an item's (partition key, sort key), or the partition key alone.

The docstring names the item's attributes.
"""

from __future__ import annotations

from datetime import date

PARTITION_KEY, SORT_KEY = "pk", "sk"  # as infra/definitions/state_table.yaml defines them


def checkpoint_partition_key(workload: str, stream: str) -> str:
    """The partition key of the checkpoints of all shards of a stream."""
    return f"checkpoint#{workload}#{stream}"


def checkpoint_key(workload: str, stream: str, shard_id: str) -> tuple[str, str]:
    """How far a shard is read: ``sequence_number`` last committed, ``closed`` (bool) once all of an ended shard is."""
    return checkpoint_partition_key(workload, stream), shard_id


def watermark_key(workload: str, source: str) -> tuple[str, str]:
    """``watermark``: the ISO 8601 UTC time up to which the source is complete in raw."""
    return f"watermark#{workload}", source


def requeue_key(workload: str, stream: str, shard_id: str) -> tuple[str, str]:
    """A requeued quarantine object: ``quarantine``, ``requeued_at``, ``code_sha``, ``records``, ``quarantined``."""
    return f"requeue#{workload}#{stream}", shard_id


def file_key(workload: str, sha256: str) -> tuple[str, str]:
    """A dropped file by its content: ``file``, ``version``, ``arrived_at``, ``status`` (started | ingested)."""
    return f"file#{workload}", sha256


def day_partition_key(workload: str) -> str:
    """The partition key of all days of a workload."""
    return f"day#{workload}"


def day_key(workload: str, day: date) -> tuple[str, str]:
    """State of a day: ``status`` (published | refused | empty), ``run``, ``fingerprint``, ``reason``, ``markers``."""
    return day_partition_key(workload), day.isoformat()


def override_key(workload: str, day: date) -> tuple[str, str]:
    """A person's override of a day: ``expectations``, ``reason``, ``expires``, ``recorded_at``, ``by``."""
    return f"override#{workload}", day.isoformat()


def measurement_partition_key(workload: str, stage: str) -> str:
    """The partition key of what the runs of a stage (process, retrain) took."""
    return f"measured#{workload}#{stage}"


def measurement_key(workload: str, stage: str, instant: str, run: str) -> tuple[str, str]:
    """What one run took: ``days``, ``rows``, ``bytes``, ``seconds``, ``usd``. They sort by the time of the plan."""
    return measurement_partition_key(workload, stage), f"{instant}#{run}"


def claim_partition_key(submit_key: str) -> str:
    """The partition key of the runs that have asked for one attempt of a job; the sort key is ``<DAG>/<run>``.

    Written before the job is started, or adopted: ``dag_id``, ``run_id``, ``task``, ``subject``, ``at``.
    """
    return f"claim#{submit_key}"


def cost_partition_key(workload: str, month: str) -> str:
    """The partition key of what a workload has cost in a month (``2026-11``, UTC); ``-`` is for jobs of no run."""
    return f"cost#{workload}#{month}"


def cost_key(workload: str, day: date, kind: str, name: str = "") -> tuple[str, str]:
    """One charge: ``day``, ``stage``, ``run``, ``quantity``, ``unit``, ``usd``, ``priced``.

    A job's has the day of its end, its service as ``kind`` and its id in AWS as ``name``; the hours of the prediction
    service (``kind`` service) and what is stored (``storage``) have the day.
    """
    return cost_partition_key(workload, f"{day:%Y-%m}"), f"{kind}#{name or day.isoformat()}"


def swept_key(workload: str) -> tuple[str, str]:
    """``at``: when all ended jobs were last looked for that no sensor has seen the end of."""
    return f"swept#{workload}", "jobs"


def live_partition_key(workload: str) -> str:
    """The partition key of a workload's live log: its entries and the live pointer."""
    return f"live#{workload}"


def live_key(workload: str) -> tuple[str, str]:
    """The live pointer: a copy of the newest entry of the live log."""
    return live_partition_key(workload), "pointer"


def live_entry_key(workload: str, revision: int) -> tuple[str, str]:
    """One entry of the live log, written once. Entries sort by revision, and before the pointer.

    ``version``, ``previous``, ``bundle_digest``, ``task_definition``, ``hold`` (bool), ``history``, ``rolled_back``,
    ``intent``, ``revision``, ``digest``.
    """
    return live_partition_key(workload), f"entry#{revision:012d}"


def freeze_partition_key(workload: str) -> str:
    """The partition key of a workload's deploy freezes; the newest one counts."""
    return f"freeze#{workload}"


def freeze_key(workload: str, revision: int) -> tuple[str, str]:
    """A deploy freeze or its end, written once: ``until``, ``by``, ``reason``, ``recorded_at``, ``revision``."""
    return freeze_partition_key(workload), f"entry#{revision:012d}"


def reported_events_key(workload: str) -> tuple[str, str]:
    """The item of the events outside a run's days that people were told of: ``markers``, day → how many raw objects."""
    return f"reported#{workload}", "unprocessed-events"


def reported_budget_key(workload: str, month: str) -> tuple[str, str]:
    """The item that says that people were told of a month whose budget is used up: ``at``, ``usd``."""
    return f"reported#{workload}", f"budget-{month}"


def approval_message_key(workload: str, version: int) -> tuple[str, str]:
    """The item of a version of which people were told that it waits for their approval: ``subject``."""
    return f"reported#{workload}", f"approval#{version}"


def told_partition_key(workload: str) -> str:
    """The partition key of what people were told of (``infra/lambdas/deadlines/told.py``); sorted by day.

    An item of a night has ``by`` (what told), ``at`` and ``told`` (false while the message is being published).
    """
    return f"told#{workload}"


def monitor_windows_key(workload: str, source: str) -> tuple[str, str]:
    """What drifted in the newest windows of a source (lake or log): ``windows``, ``revision``."""
    return f"monitor#{workload}", f"windows#{source}"


def retrain_request_key(workload: str) -> tuple[str, str]:
    """The newest retrain run that the monitor asked for: ``asked_on`` (UTC date), ``run_id``, ``day``, ``reason``."""
    return f"monitor#{workload}", "retrain-request"
