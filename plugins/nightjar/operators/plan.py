"""What a process run has to do: which days have raw data that is not published, and from which objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.pipelines.raw_inputs import RawInputs as Inputs
from include.pipelines.raw_inputs import list_inputs
from nightjar.build import code_sha
from nightjar.instants import instant_text, utc_now
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook


class PlanOperator(BaseOperator):
    """Lists what the days are made of and writes the transform's inputs.json, named by its digest.

    Returns ``{"days": {day: fingerprint}, "days_text", "inputs": URI, "submit_key", "planned_at", "code_sha"}``. Skipped, with a
    text, when there is no raw data, when all is published from the same inputs and code, or on a dry run. Fails when a table has
    no snapshot.

    :param days: comma-separated. Templated.
    :param fresh: publish again what was published from the same inputs and code. Templated.
    :param dry_run: only say what would be done. Templated.
    :param workload, stream, tables: what is planned for.
    :param job: Glue job of the transform; part of the submit key.
    :param layout, fingerprint: the modules of ``include.lake``, handed in by the DAG file: nothing here imports them.
    :param build_file: the stamp of the code.
    """

    template_fields: Sequence[str] = ("days", "fresh", "dry_run")

    def __init__(
        self,
        *,
        days: str,
        fresh: str,
        dry_run: str,
        workload: str,
        stream: str,
        tables: Sequence[str],
        job: str,
        lake_bucket: str,
        artifact_bucket: str,
        state_table: str,
        layout: ModuleType,
        fingerprint: ModuleType,
        build_file: Path,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.days = days
        self.fresh = fresh
        self.dry_run = dry_run
        self.workload = workload
        self.stream = stream
        self.tables = tables
        self.job = job
        self.lake_bucket = lake_bucket
        self.artifact_bucket = artifact_bucket
        self.state_table = state_table
        self.layout = layout
        self.fingerprint = fingerprint
        self.build_file = build_file

    def execute(self, context: Any) -> dict[str, Any]:
        # Read before the listing: of two plans, the later one has seen at least what the earlier one has.
        planned_at, sha = instant_text(utc_now()), code_sha(self.build_file)
        state, lake, digest = StateHook(self.state_table), ObjectStoreHook(), self.fingerprint.digest
        asked = self.days.split(",")
        self._require_snapshots(state)
        inputs = self._inputs(lake, asked)
        if not inputs.days:
            raise AirflowSkipException(f"No raw data for {span(asked)}: nothing to process.")
        made_of = {day: digest(self._document(inputs, [day])) for day in inputs.days}
        done = {} if is_true(self.fresh) else self._published(state, sha)
        days = [day for day in made_of if done.get(day) != made_of[day]]
        if not days:
            raise AirflowSkipException(
                f"{span(asked)}: published from the same inputs and code. Set fresh to do it again."
            )
        self.log.info("To do: %s. Without raw data: %s", days, [day for day in asked if day not in made_of])
        document = self._document(inputs, days)
        key = self.layout.inputs_key(self.workload, digest(document))
        submit_key = self.fingerprint.submit_key(
            stage="transform", workload=self.workload, days=days, inputs=digest(document), job=self.job, code_sha=sha
        )
        plan = {
            "days": {day: made_of[day] for day in days},
            "days_text": ",".join(days),
            "inputs": f"s3://{self.artifact_bucket}/{key}",
            "submit_key": submit_key,
            "planned_at": planned_at,
            "code_sha": sha,
        }
        if is_true(self.dry_run):
            raise AirflowSkipException(f"Dry run, {len(document['stream_objects'])} stream objects: {plan}")
        lake.put(self.artifact_bucket, key, self.fingerprint.canonical_json(document))
        return plan

    def _require_snapshots(self, state: StateHook) -> None:
        keys = {table: self.layout.watermark_key(self.workload, table) for table in self.tables}
        missing = [table for table, key in keys.items() if state.get(*key) is None]
        if missing:
            raise AirflowFailException(
                f"No snapshot of {', '.join(missing)} in raw. Run ingest_tables, then clear this task."
            )

    def _inputs(self, lake: ObjectStoreHook, asked: Sequence[str]) -> Inputs:
        return list_inputs(
            lake,
            self.lake_bucket,
            {day: self.layout.marker_prefix(self.workload, self.stream, date.fromisoformat(day)) for day in asked},
            partial(self.layout.marked_raw_key, self.workload, self.stream),
            {table: self.layout.raw_prefix(self.workload, table) for table in self.tables},
        )

    def _document(self, inputs: Inputs, days: Sequence[str]) -> dict[str, Any]:
        dates = [date.fromisoformat(day) for day in days]
        return self.fingerprint.inputs_document(self.workload, dates, inputs.of(days), inputs.tables, self.lake_bucket)

    def _published(self, state: StateHook, sha: str) -> dict[str, str]:
        """Day → fingerprint of the days that this build of the code has published."""
        items = state.query(self.layout.day_key(self.workload, date.min)[0])
        return {
            day: item["fingerprint"]
            for day, item in items.items()
            if (item["status"], item["code_sha"]) == ("published", sha)
        }


def is_true(value: Any) -> bool:
    """A templated flag: Jinja makes text of it."""
    return str(value).lower() == "true"


def span(days: Sequence[str]) -> str:
    """``2013-03-01`` or ``2013-03-01 to 2013-03-07``."""
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
