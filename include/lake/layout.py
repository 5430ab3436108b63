"""Every S3 key of Nightjar. Pure functions: no I/O, no settings.

Keys are relative to a bucket, which each docstring names: the raw, the lake or the artifact bucket
(``include.settings``), or MWAA's own. An argument ``run`` is a submit key. It may also be the placeholder of its
attempt (``include.pipelines.attempt``), which the submit operator fills, or a Jinja template, which Airflow renders.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from include.lake.days import utc_date
from include.lake.instants import format_instant
from include.lake.known import KnownFrom

# Files in a staging prefix, beside the rows.
REPORT_FILE, AUDIT_FILE = "report.json", "audit.json"
# Files that an evaluation job writes; the last one is the candidate's bundle.
EVALUATION_FILE, BUNDLE_FILE = "evaluation.json", "bundle.tar.gz"
SHADOW_FILE = "shadow.json"  # what a shadow job writes
DATA_DOCS_PAGE = "index.html"  # the first page of an audit's Data Docs
# Of a version that was promoted from another account: see decision_key and card_key for the others.
DECISION_FILE, CARD_FILE = "decision.json", "card.html"

# --- raw bucket --------------------------------------------------------------------------------------------------


def raw_prefix(workload: str, source: str) -> str:
    """Raw: all objects of one source (a stream or a table)."""
    return f"raw/{workload}/{source}/"


def raw_stream_key(
    workload: str,
    stream: str,
    ingest_date: date,
    shard_id: str,
    first_sequence: str,
    watermark: datetime | None = None,
) -> str:
    """Raw: one batch of records, named after its first record, so that the same batch has the same key.

    A dropped file's batch is also named after the ``watermark`` that it was read at.
    """
    read_at = "" if watermark is None else f"-{_digits(watermark)}"
    return f"{raw_prefix(workload, stream)}ingest_date={ingest_date}/{shard_id}-{first_sequence}{read_at}.jsonl.gz"


def raw_table_key(workload: str, table: str, upper: datetime, chunk: int) -> str:
    """Raw: one chunk of the rows of a table's snapshot; ``upper`` is the snapshot's upper bound."""
    return f"{raw_prefix(workload, table)}ingest_date={utc_date(upper)}/{_digits(upper)}-{chunk:05d}.jsonl.gz"


# --- lake bucket -------------------------------------------------------------------------------------------------


def index_prefix(workload: str, stream: str) -> str:
    """Lake: the markers of all days of a stream."""
    return f"index/{workload}/{stream}/"


def table_overlap_key(workload: str, table: str) -> str:
    """Lake: digests of the rows of a table's overlap that are in raw; replaced by each run."""
    return f"index/{workload}/{table}/overlap.json"


def marker_prefix(workload: str, stream: str, event_date: date) -> str:
    """Lake: empty objects, one for each raw object whose events are of this day alone."""
    return f"{index_prefix(workload, stream)}event_date={event_date}/"


def marker_key(workload: str, stream: str, event_date: date, raw_key: str, known_from: KnownFrom | None = None) -> str:
    """Lake: the marker of a raw object with events of one day: its key below the source's prefix, ``__`` for ``/``.

    :func:`include.lake.markers.marker_keys` makes those of several days. It ends with ``@`` and the two instants of
    ``known_from``: from when on any of the object's events of this day counts as known. A listing of markers therefore
    tells which objects can matter to a data set. None leaves them out.
    """
    times = "" if known_from is None else f"@{_digits(known_from.recorded_at)}-{_digits(known_from.arrived_at)}"
    return marker_prefix(workload, stream, event_date) + marker_name(workload, stream, raw_key) + times


def marker_name(workload: str, stream: str, raw_key: str) -> str:
    """What the last part of a marker's key begins with: the raw object."""
    return raw_key.removeprefix(raw_prefix(workload, stream)).replace("/", "__")


def marked_raw_key(workload: str, stream: str, marker: str) -> str:
    """Raw: the object of a marker."""
    name = marker.rsplit("/", 1)[1].partition("@")[0]
    return raw_prefix(workload, stream) + name.replace("__", "/")


def marked_known_from(marker: str) -> KnownFrom | None:
    """The instants at the end of a marker that :func:`marker_key` made."""
    times = marker.rsplit("/", 1)[1].partition("@")[2]
    return KnownFrom(*map(_from_digits, times.split("-"))) if times else None


def quarantine_prefix(workload: str, stream: str) -> str:
    """Lake: the records of a stream that could not be decoded."""
    return f"quarantine/{workload}/{stream}/"


def quarantine_stream_key(workload: str, stream: str, ingest_date: date, shard_id: str, first_sequence: str) -> str:
    """Lake: the records of one batch that could not be decoded, each with its reason."""
    return f"{quarantine_prefix(workload, stream)}ingest_date={ingest_date}/{shard_id}-{first_sequence}.jsonl.gz"


def drops_prefix(workload: str) -> str:
    """Lake: where files are dropped for a workload. They stay there until the bucket's lifecycle rule expires them."""
    return f"drops/{workload}/"


def refused_file_key(workload: str, source: str, arrived: date, version: str) -> str:
    """Lake: why a dropped file was refused as a whole; ``version`` names that version of it."""
    return f"{quarantine_prefix(workload, source)}refused/arrived={arrived}/{version}.json"


def staging_root(workload: str) -> str:
    """Lake: all transform runs, each in its :func:`staging_prefix`."""
    return f"staging/{workload}/"


def staging_prefix(workload: str, run: str) -> str:
    """Lake: the output of one transform run: ``<event type>/event_date=…/`` and the reports."""
    return f"{staging_root(workload)}{run}/"


def partition_prefix(workload: str, run: str, table: str, event_date: date) -> str:
    """Lake: one day of one event type as a transform run wrote it. A published partition points at it."""
    return f"{staging_prefix(workload, run)}{table}/event_date={event_date}/"


def table_location(workload: str, table: str) -> str:
    """Lake: the location that the catalog requires of a table. It is never read: each partition has its own."""
    return f"{staging_prefix(workload, 'none')}{table}"


def audit_key(workload: str, run: str) -> str:
    """Lake: what the audit of a transform run found."""
    return f"{staging_prefix(workload, run)}{AUDIT_FILE}"


def statistics_file(event_date: date) -> str:
    """The statistics of one day, below :func:`staging_prefix`. Later days are compared with them."""
    return f"statistics/event_date={event_date}.json"


def statistics_key(workload: str, run: str, event_date: date) -> str:
    """Lake: the statistics of one day that the audit of a transform run wrote."""
    return staging_prefix(workload, run) + statistics_file(event_date)


def quarantine_run_prefix(workload: str, run: str) -> str:
    """Lake: the rows that a transform run refused, each with its reason."""
    return f"quarantine/{workload}/transform/{run}/"


def dataset_root(workload: str) -> str:
    """Lake: all data sets, each in its :func:`dataset_prefix`."""
    return f"datasets/{workload}/"


def dataset_prefix(workload: str, run: str) -> str:
    """Lake: the files of one data set, in :func:`split_folder`. ``run`` is the submit key of the query that made it."""
    return f"{dataset_root(workload)}{run}/"


def split_folder(split: str) -> str:
    """The folder of a split, below :func:`dataset_prefix`. Athena's UNLOAD names it after the column."""
    return f"split={split}/"


def predictions_prefix(workload: str) -> str:
    """Lake: the prediction log: uncompressed JSON lines in ``YYYY/MM/dd/HH/`` (the UTC hour of delivery)."""
    return f"predictions/{workload}/"


def predictions_hour(workload: str, hour: datetime) -> str:
    """Lake: the part of the prediction log that was delivered in an hour (UTC)."""
    return f"{predictions_prefix(workload)}{hour:%Y/%m/%d/%H}/"


# --- artifact bucket ---------------------------------------------------------------------------------------------


def code_prefix(code_sha: str) -> str:
    """Artifact: scripts and archive of one build; immutable."""
    return f"code/{code_sha}/"


def inputs_key(workload: str, fingerprint: str) -> str:
    """Artifact: the list of raw objects that a transform run reads, named after its digest."""
    return f"inputs/{workload}/{fingerprint}.json"


def recent_days_key(workload: str, document_digest: str) -> str:
    """Artifact: the published days that an audit compares with, named after the document's digest."""
    return f"inputs/{workload}/recent-{document_digest}.json"


def dataset_manifest_key(workload: str, version: str) -> str:
    """Artifact: the manifest of a data set, in canonical JSON."""
    return f"datasets/{workload}/{version}.json"


def job_prefix(workload: str, stage: str, run: str) -> str:
    """Artifact: the output of a SageMaker job (models, evaluations)."""
    return f"jobs/{workload}/{stage}/{run}/"


def decision_key(workload: str, run: str) -> str:
    """Artifact: the promotion decision and its reasons."""
    return f"decisions/{workload}/{run}.json"


def card_key(workload: str, run: str) -> str:
    """Artifact: the model card of the version that a retrain run registered; ``run`` is its evaluation job."""
    return f"cards/{workload}/{run}.html"


def shadow_page_key(workload: str, run: str) -> str:
    """Artifact: the page of a shadow, where a version was compared with the live one; ``run`` is its job."""
    return f"monitor/{workload}/shadows/{run}.html"


def data_docs_prefix(workload: str, run: str) -> str:
    """Artifact: Great Expectations' Data Docs of one audit."""
    return f"data-docs/{workload}/{run}/"


def backfill_key(workload: str, backfill: str, name: str) -> str:
    """Artifact: a document of one backfill (``plan.json``, ``plan.html``, ``report.json``, ``report.html``)."""
    return f"backfills/{workload}/{backfill}/{name}"


def monitor_key(workload: str, window: str, suffix: str) -> str:
    """Artifact: what a monitor run found about the window with this end (``json``), and its page (``html``)."""
    return f"monitor/{workload}/{window}.{suffix}"


def monitor_baseline_key(workload: str, digest: str) -> str:
    """Artifact: the baseline of a bundle, as the monitor read it from the bundle; named after its sha256."""
    return f"monitor/{workload}/baselines/{digest}.json"


# --- all buckets of data ------------------------------------------------------------------------------------------

RAW_FOLDERS = ("raw",)
LAKE_FOLDERS = ("index", "quarantine", "drops", "staging", "datasets", "predictions")
ARTIFACT_FOLDERS = ("inputs", "datasets", "jobs", "decisions", "data-docs", "backfills", "monitor", "cards")


def folder_prefix(folder: str, workload: str) -> str:
    """What is stored for a workload in one of the folders above."""
    return f"{folder}/{workload}/"


# --- MWAA bucket -------------------------------------------------------------------------------------------------


def release_prefix(code_sha: str) -> str:
    """MWAA: plugins, requirements and DAGs of one build; immutable."""
    return f"releases/{code_sha}/"


def _digits(instant: datetime) -> str:
    """The digits of an instant's text: 20, from year to microsecond."""
    return "".join(filter(str.isdigit, format_instant(instant)))


def _from_digits(digits: str) -> datetime:
    return datetime.strptime(digits, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
