"""Every S3 key, catalog name and state key of Nightjar. Pure functions: no I/O, no settings.

S3 keys are relative to a bucket, which each docstring names: the raw, the lake or the artifact bucket
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


# --- catalog and registry ----------------------------------------------------------------------------------------


def table_name(workload: str, table: str) -> str:
    """Glue catalog table of one event type."""
    return f"{workload}_{table}"


JOB_PREFIX = "nj-"  # of the names of SageMaker jobs; the policies of the roles name it


def approved_model(workload: str) -> str:
    """Airflow asset of an approved version: retrain emits it, and a deploy follows."""
    return f"nightjar://{workload}/approved-model"


def model_group(workload: str) -> str:
    """SageMaker model package group."""
    return f"nightjar-{workload}"


def service_name(workload: str) -> str:
    """ECS service, and the family of its task definitions."""
    return f"nightjar-{workload}"


def canary_service_name(workload: str) -> str:
    """ECS service of the tasks that serve a canary's share of the requests, and the family of their definitions."""
    return f"nightjar-{workload}-canary"


def target_groups(workload: str) -> tuple[str, str]:
    """Target groups of the load balancer: of :func:`service_name`, and of :func:`canary_service_name`.

    A name has at most 32 characters, and a workload's up to 20.
    """
    return f"nightjar-{workload}", f"nightjar-{workload}-c"


def template_family(workload: str) -> str:
    """Family of the template task definition, which the bootstrap creates and each deploy copies."""
    return f"nightjar-{workload}-template"


def event_stream(workload: str) -> str:
    """Kinesis stream of the workload's events. The policies of the roles name it."""
    return f"nightjar-{workload}"


def prediction_stream(workload: str) -> str:
    """Firehose delivery stream from the service to :func:`predictions_prefix`."""
    return f"nightjar-{workload}-predictions"


def drops_queue(workload: str) -> str:
    """SQS queue with a message for each file below :func:`drops_prefix`."""
    return f"nightjar-{workload}-drops"


def service_url_parameter(workload: str) -> str:
    """SSM parameter with the URL of the service's load balancer, without a slash at the end."""
    return f"/nightjar/{workload}/service_url"


# --- state table -------------------------------------------------------------------------------------------------
# Each function returns the item's (partition key, sort key); the docstring names its attributes.

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


def _digits(instant: datetime) -> str:
    """The digits of an instant's text: 20, from year to microsecond."""
    return "".join(filter(str.isdigit, format_instant(instant)))


def _from_digits(digits: str) -> datetime:
    return datetime.strptime(digits, "%Y%m%d%H%M%S%f").replace(tzinfo=UTC)
