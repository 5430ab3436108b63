"""### Dropped files → raw: one workload's files, as soon as one is dropped.

**Owner**: the workload's owner (see the DAG's owner).

**Inputs**: files that are put below `drops/<workload>/` of the lake bucket, and that an entry of `files` in
`workload.yaml` accepts: CSV with a header, JSON lines with an event each (both in UTF-8), or Parquet. S3 announces each
file to EventBridge, whose rule sends a message to the workload's queue; a trigger looks at the queue and starts a run.

**Outputs**: `raw/<workload>/files/` in the raw bucket, with markers in the lake, like events of the stream. The next
run of `process` takes the days along. A file that is refused (cut off, doubled, not UTF-8, of a wrong form or name) is
in `quarantine/<workload>/files/refused/` with its name and the reason; so is each row that is no event. State table:
`file#…`, what became of each content.

**How it ends**: what was refused is in the run's note and goes to the alerts topic. If the queue is empty, the task is
*skipped*. A file that could not be read for another reason fails the task's try, and comes back to the queue some
minutes later: after five times it is among the dead letters, whose alarm has a runbook.

**Cautions**
- A file stays where it was dropped for 90 days. Correct a refused one and drop it again.
- The same content gets into raw once, whatever its name.
- Only one run at a time. Triggering it by hand reads what waits; clearing it is safe.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetWatcher, task
from nightjar.build import code_sha
from nightjar.callbacks import publish_warnings
from nightjar.notes import add_note
from nightjar.objects import ObjectStoreHook
from nightjar.outcomes import outcomes
from nightjar.params import require_known_params
from nightjar.queues.hook import QueueHook
from nightjar.queues.trigger import QueueTrigger
from nightjar.runs import dag_options, parsed_subject
from nightjar.state.hook import StateHook

from include.build import BUILD_FILE
from include.errors import NothingToDoError
from include.lake import layout, resources
from include.pipelines.ingest.file_outcomes import FileOutcome, require_new, summary, warnings
from include.pipelines.ingest.files import FileIngest
from include.settings import settings
from include.workloads import Workload, discover, load

# A file is read at once; a look at the queue costs something, and most of them find nothing.
LOOK_SECONDS = 5
# How long a file waits that is dropped just after another one was read. What a dead run has received comes back later.
AGAIN = timedelta(minutes=1)


@task(execution_timeout=timedelta(hours=1))
def files_to_s3(workload: str, dag_run: Any = None, params: Any = None) -> list[FileOutcome]:
    """Reads the files that wait; returns what became of each."""
    sha, config = code_sha(BUILD_FILE), settings()
    require_known_params(dag_run, params)
    stores = ObjectStoreHook(), StateHook(config.state_table)
    ingest = FileIngest(load(workload), config.data_buckets, sha, *stores)
    with outcomes(skip=NothingToDoError):
        read = ingest.run(QueueHook(resources.drops_queue(workload)))
        told, wrong = summary(read.outcomes), warnings(read.outcomes)
        add_note(told)
        lines = [told, *wrong] if wrong else []  # published, they replace the note
        publish_warnings(config.alerts_topic_arn, f"Nightjar: dropped files of {workload}", lines, dag_run)
        if read.error:
            raise read.error
    return read.outcomes


@task
def announce(read: list[FileOutcome]) -> None:
    """Emits the asset's event; skipped if no file got into raw."""
    with outcomes(skip=NothingToDoError):
        require_new(read)


def ingest_files(workload: Workload) -> DAG:
    """Makes the DAG ``<workload>_ingest_files``."""
    name, config = workload.name, settings()
    trigger = QueueTrigger(
        queue=resources.drops_queue(name),
        poll_seconds=max(LOOK_SECONDS, config.poll_seconds),
        again_seconds=AGAIN.total_seconds(),
    )
    watcher = AssetWatcher(name=f"{name}_drops_queue", trigger=trigger)
    drops = Asset(name=f"{name}_drops", uri=f"nightjar://{name}/drops", watchers=[watcher])
    raw_files = Asset(name=f"{name}_raw_files", uri=f"nightjar://{name}/raw-files")
    with DAG(
        dag_id=f"{name}_ingest_files",
        description=f"Files dropped below {layout.drops_prefix(name)} → raw",
        doc_md=__doc__,
        schedule=[drops],
        max_active_runs=1,
        dagrun_timeout=timedelta(hours=2),
        **dag_options("ingest", name, workload.owner, config.alerts_topic_arn),
    ) as dag:
        read: Any = files_to_s3(name)
        announce.override(outlets=[raw_files])(read)
    return dag


for _workload in discover(only=parsed_subject("ingest_files"))[0]:
    ingest_files(_workload)
