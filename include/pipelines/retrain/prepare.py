"""Between the data set's queries and the jobs: write the manifest, evaluate the gate, request the jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from include.errors import ConflictError, RefusedError
from include.lake import days as calendar
from include.lake import layout
from include.lake.fingerprint import RawObject, canonical_json
from include.lake.instants import format_instant, parse_instant
from include.lake.known import Clock
from include.lake.manifest import (
    DatasetManifest,
    EmptySplitError,
    KnownObject,
    SplitSummary,
    dataset_manifest,
    split_summary,
)
from include.lake.uris import s3_uri
from include.pipelines.deploy.live_log import read_pointer
from include.pipelines.deploy.registry_agreement import check_live_package
from include.pipelines.promotion.packages import find_champion, find_twin, is_overtaken, read_packages
from include.pipelines.raw_inputs import RawInputs, workload_inputs
from include.pipelines.retrain.hooks import RetrainHooks
from include.pipelines.retrain.jobs import JobInputs, JobRequests, job_requests, tuning_name
from include.pipelines.retrain.plan import DatasetPlan, published_days, published_runs
from include.pipelines.retrain.tuning import baseline_parameters
from include.pipelines.training_image import training_image
from include.settings import Settings
from include.sql import dataset_select, split_rule
from include.workloads import Workload


class UnfitDatasetError(RefusedError):
    """The data set is not fit for training. The message names what is wrong with it."""


class PreparedRun(JobRequests):
    """What the task ``prepare`` returns: the jobs' requests, and what they are made from."""

    dataset_version: str
    splits: dict[str, int]
    """Split → number of rows."""
    backfilled: bool
    champion: int | None
    """The version that the candidate is compared with."""
    champion_digest: str | None
    """Its bundle digest."""
    live: int | None
    """The version that was live when the comparison was planned."""
    baseline: dict[str, Any]
    """Hyperparameters of the training job that differ from the workload's declaration."""


def prepare(
    workload: Workload,
    plan: DatasetPlan,
    dataset_key: str,
    digest_rows: Iterable[Mapping[str, str | None]],
    settings: Settings,
    hooks: RetrainHooks,
    *,
    is_backfill: bool,
    fresh: bool,
    trials: int = 0,
) -> PreparedRun:
    """Writes the data set's manifest and returns the run's job requests.

    Args:
        workload: The workload.
        plan: The plan of the run.
        dataset_key: Submit key of the attempt of the UNLOAD that made the data set.
        digest_rows: The rows of the digest query.
        settings: The DAGs' settings.
        hooks: S3, the state table, the model registry and the ECS service.
        is_backfill: Whether the run belongs to a backfill. A run whose cut-off is older than an approved version's is
            treated as one.
        fresh: Whether the jobs run again even if an earlier run has had the same ones.
        trials: The number of tuning trials.

    Raises:
        UnfitDatasetError: The data set did not pass the gate.
        LiveStateError: The record of what is live is lost or altered: whom to compare with is not known.
        RefusedError: The registry does not have the live version.
        RefusedError: A day of the window was published before all of its events were in raw.
        ConflictError: Days of the window were published again after the plan was made.
    """
    name, cutoff = workload.name, parse_instant(plan["cutoff"])
    if published_runs(workload, cutoff, hooks.state) != plan["published"]:
        raise ConflictError(
            "Days of the window were published again after the plan was made. Clear the task plan: it plans a new one."
        )
    location = s3_uri(settings.lake_bucket, layout.dataset_prefix(name, dataset_key))
    days = published_days(workload, cutoff, hooks.state)
    inputs = workload_inputs(
        workload, map(date.fromisoformat, days), buckets=settings.data_buckets, objects=hooks.objects
    )
    _require_complete_days(workload, cutoff, days, inputs)
    manifest = _manifest(workload, plan, settings.glue_database, digest_rows, inputs, location)
    check_dataset(workload, manifest["splits"])
    version = manifest["version"]
    key = layout.dataset_manifest_key(name, version)
    hooks.objects.put_once(settings.artifact_bucket, key, canonical_json(manifest))
    rows = {split: summary["rows"] for split, summary in manifest["splits"].items()}
    packages = read_packages(hooks.registry.described())
    backfilled = is_backfill or is_overtaken(packages, cutoff)
    pointer = read_pointer(name, hooks.state, hooks.service)
    live, live_version = check_live_package(name, pointer, packages), pointer["version"]
    if live_version is not None and live is None and not backfilled:
        raise RefusedError(
            f"The registry of {name} has no version {live_version}, which is live, so the candidate cannot be compared "
            "with it. Deploy another version by its number, then clear this task."
        )
    code = plan["code_sha"]
    tuning = tuning_name(workload, settings, version, code, trials)
    twin = find_twin(packages, version, code, training_image(workload, settings), tuning)
    if twin and (twin is live or not fresh):
        champion = next((package for package in packages if str(package.version) == twin.metadata["champion"]), None)
    else:
        champion = find_champion(packages, live_version, cutoff, backfilled=backfilled)
    return {
        "dataset_version": version,
        "splits": rows,
        "backfilled": backfilled,
        "champion": champion.version if champion else None,
        "champion_digest": champion.metadata["bundle_digest"] if champion else None,
        "live": live_version,
        "baseline": baseline_parameters(workload, champion),
        **job_requests(workload, settings, JobInputs(version, location, code, champion, trials)),
    }


def check_dataset(workload: Workload, splits: Mapping[str, SplitSummary]) -> None:
    """Checks that the data set and each split have enough rows, and every split both classes.

    Raises:
        UnfitDatasetError: It has not.
    """
    rows, minimum = sum(split["rows"] for split in splits.values()), workload.dataset.minimum_rows
    if rows < minimum:
        raise UnfitDatasetError(
            f"The data set has {rows} rows; dataset.minimum_rows of {workload.name} is {minimum}. "
            "Ingest and process the missing days, then clear the task plan."
        )
    for name, split in splits.items():
        if split["rows"] < workload.dataset.minimum_split_rows:
            raise UnfitDatasetError(
                f"Split {name} has {split['rows']} rows; dataset.minimum_split_rows of {workload.name} is "
                f"{workload.dataset.minimum_split_rows}. Ingest and process the missing days, or give the split more "
                "days in workload.yaml, then clear the task plan."
            )
        if not 0 < split["positives"] < split["rows"]:
            raise UnfitDatasetError(
                f"Split {name} has {split['positives']} positive labels in {split['rows']} rows, but a model needs "
                "both classes. Check the label's expression and whether the labels were ingested."
            )


def _require_complete_days(
    workload: Workload, cutoff: datetime, days: Mapping[str, Mapping[str, Any]], inputs: RawInputs
) -> None:
    """Checks that each day was published with every object whose events were known at the cut-off.

    Otherwise the data set would change when the day is processed again. Process takes such days along, so this happens
    only if a run of it failed or was left out.
    """

    def known(day: str) -> int:
        times = (inputs.known_from[key] for key in inputs.days.get(day, {}))
        return sum(1 for found in times if found is None or found.by(workload.clock) < cutoff)

    late = [day for day, item in days.items() if "markers" in item and known(day) > item["markers"]]
    if late:
        raise RefusedError(
            f"Events of {', '.join(late)} were known before {format_instant(cutoff)}, but arrived after the day was "
            f"processed. Run {workload.name}_process with date set to them, then clear the task plan."
        )


def _manifest(
    workload: Workload,
    plan: DatasetPlan,
    database: str,
    digest_rows: Iterable[Mapping[str, str | None]],
    inputs: RawInputs,
    location: str,
) -> DatasetManifest:
    cutoff = parse_instant(plan["cutoff"])
    rule = split_rule(workload.dataset, cutoff)
    try:
        return dataset_manifest(
            workload=workload.name,
            sql=dataset_select(workload, database, cutoff, plan["missing_days"]),
            cutoff=cutoff,
            split_rule=rule,
            feature_code_hash=workload.feature_code_hash(),
            inputs=[_known(inputs, workload.clock, item) for item in _listed(inputs.days)],
            reference_inputs=_reference_inputs(workload, inputs),
            initial_loads=_initial_loads(workload),
            missing_days=plan["missing_days"],
            splits=split_summary(digest_rows, rule),
            location=location,
        )
    except EmptySplitError as error:
        raise UnfitDatasetError(f"{error}. Ingest and process the missing days, then clear the task plan.") from None


def _initial_loads(workload: Workload) -> dict[str, date]:
    """The initial loads that the joined tables declare."""
    tables = {join.table: workload.tables[join.table] for join in workload.joins}
    return {name: table.initial_load for name, table in tables.items() if table.initial_load}


def _reference_inputs(workload: Workload, inputs: RawInputs) -> list[KnownObject]:
    """The objects of the joined tables. One with rows of an initial load has no time: those rows count from any."""
    found = []
    for table in dict.fromkeys(join.table for join in workload.joins):
        loaded = workload.tables[table].initial_load
        for item in _listed({table: inputs.tables.get(table, {})}):
            known = _known(inputs, workload.clock, item)
            instant = known["known_from"]
            is_loaded = instant and loaded and parse_instant(instant) < calendar.cutoff(loaded)
            found.append({**known, "known_from": ""} if is_loaded else known)
    return found


def _known(inputs: RawInputs, clock: Clock, item: RawObject) -> KnownObject:
    """The object with the earliest time, by the workload's clock, at which anything in it was known."""
    known_from = inputs.known_from[item["key"]]
    return {**item, "known_from": format_instant(known_from.by(clock)) if known_from else ""}


def _listed(groups: Mapping[str, Mapping[str, str]]) -> list[RawObject]:
    return [{"key": key, "sha256": checksum} for group in groups.values() for key, checksum in group.items()]
