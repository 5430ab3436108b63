"""Every S3 key, table name and state key of the platform. Pure functions: no I/O, no settings.

Keys are relative to a bucket; which bucket is said in each docstring (lake or artifact, see ``include.settings``).
"""

from __future__ import annotations

from datetime import date

# --- lake bucket -------------------------------------------------------------------------------------------------


def raw_prefix(workload: str, source: str) -> str:
    """Lake. All raw objects of one source (a stream or a table)."""
    return f"raw/{workload}/{source}/"


def raw_stream_key(workload: str, stream: str, ingest_date: date, shard_id: str, first_sequence: str) -> str:
    """Lake. One batch of stream records; named by what it begins with, so that the same batch has the same key."""
    return f"{raw_prefix(workload, stream)}ingest_date={ingest_date}/{shard_id}-{first_sequence}.jsonl.gz"


def raw_table_key(workload: str, table: str, ingest_date: date, watermark: str, chunk: int) -> str:
    """Lake. One chunk of rows of a table snapshot; ``watermark`` is the snapshot's upper bound, digits only."""
    return f"{raw_prefix(workload, table)}ingest_date={ingest_date}/{watermark}-{chunk:05d}.jsonl.gz"


def marker_prefix(workload: str, stream: str, event_date: date) -> str:
    """Lake. Empty objects, one for each raw object that holds an event of this day."""
    return f"index/{workload}/{stream}/event_date={event_date}/"


def marker_key(workload: str, stream: str, event_date: date, raw_key: str) -> str:
    """Lake. The marker of one raw object: its key below the source's prefix, with ``/`` written as ``__``."""
    below = raw_key.removeprefix(raw_prefix(workload, stream))
    return marker_prefix(workload, stream, event_date) + below.replace("/", "__")


def marked_raw_key(workload: str, stream: str, marker: str) -> str:
    """Lake. The raw object that a marker names (the inverse of :func:`marker_key`)."""
    return raw_prefix(workload, stream) + marker.rsplit("/", 1)[1].replace("__", "/")


def quarantine_stream_key(workload: str, stream: str, ingest_date: date, shard_id: str, first_sequence: str) -> str:
    """Lake. Records of one batch that could not be decoded, each with its reason."""
    return f"quarantine/{workload}/{stream}/ingest_date={ingest_date}/{shard_id}-{first_sequence}.jsonl.gz"


def staging_prefix(workload: str, run: str) -> str:
    """Lake. What one transform run wrote: ``<table>/event_date=…/`` below it, and its reports."""
    return f"staging/{workload}/{run}/"


def audit_key(workload: str, run: str) -> str:
    """Lake. The audit's result for one transform run (``include.glue.audit`` writes it)."""
    return f"{staging_prefix(workload, run)}audit.json"


def partition_prefix(workload: str, run: str, table: str, event_date: date) -> str:
    """Lake. One day of one table as a transform run wrote it: what a published partition points at."""
    return f"{staging_prefix(workload, run)}{table}/event_date={event_date}/"


def quarantine_run_prefix(workload: str, run: str) -> str:
    """Lake. Rows that a transform run refused, each with its reason."""
    return f"quarantine/{workload}/transform/{run}/"


def dataset_prefix(workload: str, run: str) -> str:
    """Lake. One data set, ``split=…/`` below it; ``run`` is the submit key of the query that made it."""
    return f"datasets/{workload}/{run}/"


def predictions_prefix(workload: str) -> str:
    """Lake. The prediction log: JSON lines, uncompressed, below ``YYYY/MM/dd/HH/`` (the UTC hour of delivery)."""
    return f"predictions/{workload}/"


# --- artifact bucket ---------------------------------------------------------------------------------------------


def code_prefix(code_sha: str) -> str:
    """Artifact. Immutable: scripts and archive of one build."""
    return f"code/{code_sha}/"


def inputs_key(workload: str, fingerprint: str) -> str:
    """Artifact. The list of raw objects that a transform reads, named by its own digest."""
    return f"inputs/{workload}/{fingerprint}.json"


def dataset_manifest_key(workload: str, version: str) -> str:
    """Artifact. The canonical JSON whose sha256 is the data set's version."""
    return f"datasets/{workload}/{version}.json"


def job_prefix(workload: str, stage: str, run: str) -> str:
    """Artifact. What a SageMaker job writes (models, evaluations)."""
    return f"jobs/{workload}/{stage}/{run}/"


def decision_key(workload: str, run: str) -> str:
    """Artifact. The promotion decision and its reasons."""
    return f"decisions/{workload}/{run}.json"


def data_docs_prefix(workload: str, run: str) -> str:
    """Artifact. Great Expectations' Data Docs of one audit."""
    return f"data-docs/{workload}/{run}/"


# --- catalog and registry ----------------------------------------------------------------------------------------


def table_name(workload: str, table: str) -> str:
    """Glue catalog table of one processed event type."""
    return f"{workload}_{table}"


def model_group(workload: str) -> str:
    """SageMaker model package group."""
    return f"nightjar-{workload}"


def service_name(workload: str) -> str:
    """ECS service, and the family of its task definitions."""
    return f"nightjar-{workload}"


def template_family(workload: str) -> str:
    """ECS task definition that Terraform owns and a deploy copies."""
    return f"nightjar-{workload}-template"


def prediction_stream(workload: str) -> str:
    """Firehose delivery stream from the service to :func:`predictions_prefix`."""
    return f"nightjar-{workload}-predictions"


def service_url_parameter(workload: str) -> str:
    """SSM parameter that holds the load balancer's URL of the service (no trailing slash)."""
    return f"/nightjar/{workload}/service_url"


# --- state table: (pk, sk) ---------------------------------------------------------------------------------------


def checkpoint_partition_key(workload: str, stream: str) -> str:
    """Partition key of the checkpoints of all shards of a stream."""
    return f"checkpoint#{workload}#{stream}"


def checkpoint_key(workload: str, stream: str, shard_id: str) -> tuple[str, str]:
    """Item: ``sequence_number`` last committed, ``closed`` (bool) once the shard has ended and is read whole."""
    return checkpoint_partition_key(workload, stream), shard_id


def watermark_partition_key(workload: str) -> str:
    """Partition key of the watermarks of all sources (the stream and the tables) of a workload."""
    return f"watermark#{workload}"


def watermark_key(workload: str, source: str) -> tuple[str, str]:
    """Item: ``watermark``, ISO UTC time up to which the source is complete in raw."""
    return watermark_partition_key(workload), source


def day_partition_key(workload: str) -> str:
    """Partition key of the day items of a workload; a day's sort key is its ISO date."""
    return f"day#{workload}"


def day_key(workload: str, day: date) -> tuple[str, str]:
    """Item: ``status`` (published | refused), ``run``, ``fingerprint``, ``reason``."""
    return day_partition_key(workload), day.isoformat()


def live_key(workload: str) -> tuple[str, str]:
    """Item: ``version``, ``previous``, ``bundle_digest``, ``task_definition``, ``hold`` (bool), ``history``, ``revision``."""
    return f"live#{workload}", "pointer"
