"""What the retrain DAG's own tasks do: plan the night, gate its data set and ask for the jobs, judge and register. Hooks are
handed in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from include.lake import days as calendar
from include.lake import layout
from include.lake.fingerprint import RawObject, canonical_json, digest, submit_key
from include.lake.manifest import KnownObject, dataset_manifest, split_summary
from include.pipelines.deploy.rollout import State, read_pointer
from include.pipelines.promotion import packages as registry
from include.pipelines.promotion.decide import decide
from include.pipelines.retrain.cost import cost_usd
from include.pipelines.retrain.jobs import evaluation_config, training_config
from include.settings import Settings
from include.sql import dataset_digest, dataset_select, dataset_unload, split_bounds, split_rule
from include.workloads import Workload

ATTEMPT = "${submit_key}"


class Unfit(ValueError):
    """The data set is not one to train on. The text says what it lacks."""


class Objects(Protocol):
    """Objects in S3 (``nightjar.objects.ObjectStoreHook``)."""

    def put(self, bucket: str, key: str, body: bytes) -> None: ...
    def put_once(self, bucket: str, key: str, body: bytes) -> bool: ...
    def open(self, bucket: str, key: str) -> Any: ...


class RawInputs(Protocol):
    """Key → checksum of each day's stream objects and each table's objects; key → metadata (``include.pipelines.raw_inputs.Inputs``)."""

    days: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, Mapping[str, str]]
    metadata: Mapping[str, Mapping[str, str]]


class Versions(Protocol):
    """The model registry (``nightjar.jobs.sagemaker.registry.RegistryHook``)."""

    def described(self) -> list[dict[str, Any]]: ...
    def register(
        self, *, image: str, model_uri: str, status: str, description: str, metadata: dict[str, str], unique: str
    ) -> dict[str, Any]: ...


def window(workload: Workload, cutoff: datetime) -> list[date]:
    """The days whose partitions a data set reads."""
    first = split_bounds(workload.dataset, cutoff)["train"][0]
    return calendar.day_range(calendar.utc_date(first), calendar.utc_date(cutoff))[:-1]


def markers(workload: Workload, cutoff: str) -> dict[str, str]:
    """Where in the lake the markers of each day of the window lie: day → prefix."""
    days = window(workload, calendar.parse_iso(cutoff))
    return {str(day): layout.marker_prefix(workload.name, workload.stream.name, day) for day in days}


def table_prefixes(workload: Workload) -> dict[str, str]:
    """Where in the lake the objects of each reference table lie: table → prefix."""
    return {table: layout.raw_prefix(workload.name, table) for table in workload.tables}


def published(workload: Workload, cutoff: datetime, state: Any) -> str:
    """Digest of which transform run each day of the window is published from: it changes when a day is published anew."""
    items = state.query(layout.day_key(workload.name, date.min)[0])
    days = [str(day) for day in window(workload, cutoff)]
    return digest({day: items[day]["run"] for day in days if items.get(day, {}).get("status") == "published"})


def plan(workload: Workload, day: date, settings: Settings, code_sha: str, state: Any) -> dict[str, Any]:
    """The night's cut-off, and the two queries of its data set with their submit key."""
    name, database, cutoff = workload.name, settings.glue_database, calendar.cutoff(day)
    runs = published(workload, cutoff, state)
    select = dataset_select(workload, database, cutoff)
    location = f"s3://{settings.lake_bucket}/{layout.dataset_prefix(name, ATTEMPT)}"
    return {
        "day": str(day),
        "cutoff": calendar.iso(cutoff),
        "published": runs,
        "code_sha": code_sha,
        "key": submit_key(
            stage="dataset", workload=name, days=[str(day)], inputs=runs, parameters=select, code_sha=code_sha
        ),
        "dataset_query": dataset_unload(workload, database, cutoff, location),
        "digest_query": dataset_digest(workload, database, cutoff),
    }


def check_fit(workload: Workload, splits: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises :class:`Unfit` for too few rows, or a split in which every label is alike."""
    rows = sum(split["rows"] for split in splits.values())
    if rows < workload.dataset.minimum_rows:
        raise Unfit(
            f"The data set has {rows} rows, dataset.minimum_rows of {workload.name} is {workload.dataset.minimum_rows}."
        )
    for name, split in splits.items():
        if not 0 < split["positives"] < split["rows"]:
            raise Unfit(
                f"Split {name} has {split['positives']} positive labels in {split['rows']} rows: a model needs both classes."
            )


def prepare(
    workload: Workload,
    planned: Mapping[str, Any],
    dataset_key: str,
    rows: Iterable[Mapping[str, Any]],
    inputs: RawInputs,
    settings: Settings,
    *,
    backfill: bool,
    objects: Objects,
    state: Any,
    versions: Versions,
) -> dict[str, Any]:
    """Writes the data set's manifest and gives the night's jobs: names, requests, and the champion to beat.

    :param dataset_key: the submit key of the UNLOAD that made the data set.
    :param rows: of the digest query.
    :param inputs: raw objects of the window.
    :param backfill: the run is one of a backfill; so is, in effect, a night with an older cut-off than an approved version's.

    Raises :class:`Unfit`; RuntimeError when days were published anew between the two queries.
    """
    name, cutoff = workload.name, calendar.parse_iso(planned["cutoff"])
    if published(workload, cutoff, state) != planned["published"]:
        raise RuntimeError(
            "Days of the data set were published anew while it was built. Clear the task plan: it builds a new one."
        )
    rule = split_rule(workload.dataset, cutoff)
    location = f"s3://{settings.lake_bucket}/{layout.dataset_prefix(name, dataset_key)}"
    try:
        manifest = dataset_manifest(
            workload=name,
            sql=dataset_select(workload, settings.glue_database, cutoff),
            cutoff=cutoff,
            split_rule=rule,
            feature_code_hash=workload.feature_code_hash(),
            inputs=_stream_inputs(inputs, workload.clock),
            reference_inputs=_objects(inputs.tables),
            splits=split_summary(rows, rule),
            location=location,
        )
    except ValueError as error:
        raise Unfit(str(error)) from None
    check_fit(workload, manifest["splits"])
    version, known = manifest["version"], registry.read_packages(versions.described())
    objects.put_once(settings.artifact_bucket, layout.dataset_manifest_key(name, version), canonical_json(manifest))
    overtaken = backfill or registry.overtaken(known, planned["cutoff"])
    champion = registry.champion(known, read_pointer(name, state)["version"], planned["cutoff"], overtaken)
    return {
        "dataset_version": version,
        "splits": {split: summary["rows"] for split, summary in manifest["splits"].items()},
        "backfilled": overtaken,
        "champion": champion and champion.version,
        **_jobs(workload, settings, planned["code_sha"], version, location, champion),
    }


def judge(
    workload: Workload,
    planned: Mapping[str, Any],
    prepared: Mapping[str, Any],
    jobs: Mapping[str, Mapping[str, Any]],
    settings: Settings,
    *,
    objects: Objects,
    state: State,
    versions: Versions,
) -> dict[str, Any]:
    """Decides on the candidate and registers it with its reasons; a bundle that is registered already is left as it was judged.

    :param jobs: what the sensors returned, by ``dataset``, ``digest``, ``training``, ``evaluation``.
    """
    name, bucket = workload.name, settings.artifact_bucket
    output = jobs["evaluation"]["outputs"]["evaluation"]
    evaluation_uri, bundle_uri = f"{output}evaluation.json", f"{output}bundle.tar.gz"
    document = objects.open(*_split_uri(evaluation_uri)).read()
    evaluation = json.loads(document)
    if evaluation["dataset_version"] != prepared["dataset_version"]:
        raise RuntimeError(
            f"{evaluation_uri} is of data set {evaluation['dataset_version']}, not {prepared['dataset_version']}"
        )
    known = registry.read_packages(versions.described())
    existing = next((p for p in known if p.metadata["bundle_digest"] == evaluation["bundle_digest"]), None)
    if existing:
        return _summary(existing, "This bundle was registered before, and is left as it was judged then.")

    history = [] if prepared["backfilled"] else registry.live_history(known, read_pointer(name, state)["history"])
    decision = decide(evaluation, workload.quality.model_dump(), history)
    decision_key = layout.decision_key(name, jobs["evaluation"]["job_name"])
    decided = canonical_json(
        {
            "workload": name,
            "day": planned["day"],
            "promote": decision.promote,
            "reasons": decision.reasons,
            "quality": workload.quality.model_dump(),
            "champion": prepared["champion"],
            "live_history": history,
            "evaluation_uri": evaluation_uri,
        }
    )
    objects.put(bucket, decision_key, decided)
    approved = registry.APPROVED if workload.approval == "automatic" else registry.PENDING
    candidate = evaluation["candidate"]
    answer = versions.register(
        image=settings.serving_image,
        model_uri=bundle_uri,
        status=approved if decision.promote else registry.REJECTED,
        description=registry.approval_description(decision.reasons),
        unique="bundle_digest",
        metadata=registry.metadata(
            workload=name,
            dataset_version=prepared["dataset_version"],
            code_sha=planned["code_sha"],
            image=settings.training_image,
            feature_code_hash=workload.feature_code_hash(),
            data_cutoff=planned["cutoff"],
            bundle_digest=evaluation["bundle_digest"],
            bundle_uri=bundle_uri,
            **{metric: f"{candidate[metric]:.6f}" for metric in ("auc", "auc_low", "auc_high")},
            champion=prepared["champion"] or "none",
            auc_difference=f"{evaluation['difference']['auc']:.6f}" if evaluation["difference"] else "none",
            decision="promoted" if decision.promote else "refused",
            decision_uri=f"s3://{bucket}/{decision_key}",
            decision_sha256=hashlib.sha256(decided).hexdigest(),
            evaluation_uri=evaluation_uri,
            evaluation_sha256=hashlib.sha256(document).hexdigest(),
            cost_usd=_cost(jobs),
            backfilled=prepared["backfilled"],
            day=planned["day"],
        ),
    )
    return _summary(registry.read_packages([answer])[0], " ".join(decision.reasons))


def _stream_inputs(inputs: RawInputs, clock: str) -> list[KnownObject]:
    """The stream's objects with the instant from which on something in them was known, on the workload's clock."""
    known_from = {key: metadata.get(clock.replace("_", "-")) for key, metadata in inputs.metadata.items()}
    # An object without a record that could be decoded has no such instant, and no row in the data set.
    return [
        {**item, "known_from": known_from[item["key"]]} for item in _objects(inputs.days) if known_from[item["key"]]
    ]


def _objects(groups: Mapping[str, Mapping[str, str]]) -> list[RawObject]:
    return [{"key": key, "sha256": checksum} for group in groups.values() for key, checksum in group.items()]


def _jobs(
    workload: Workload,
    settings: Settings,
    code_sha: str,
    version: str,
    location: str,
    champion: registry.Package | None,
) -> dict[str, Any]:
    name, artifact = workload.name, f"s3://{settings.artifact_bucket}/"
    common = {
        "workload": name,
        "image": settings.training_image,
        "role_arn": settings.training_role_arn,
        "instance_type": settings.training_instance_type,
        "max_runtime_seconds": workload.model.max_runtime_seconds,
        "dataset_uri": location,
        "manifest_uri": artifact + layout.dataset_manifest_key(name, version),
    }
    made_of = {"workload": name, "inputs": version, "code_sha": code_sha, "image": settings.training_image}
    training = submit_key(stage="train", parameters=workload.model.model_dump(mode="json"), **made_of)
    against = {
        "training": training,
        "champion": champion and champion.metadata["bundle_digest"],
        "quality": workload.quality.model_dump(),
    }
    evaluation = submit_key(stage="evaluate", parameters=against, **made_of)
    return {
        "training_name": f"nj-{name}-train-{training}",
        "training": training_config(
            **common,
            output_uri=artifact + layout.job_prefix(name, "train", training),
            code_sha=code_sha,
            dataset_version=version,
        ),
        "evaluation_name": f"nj-{name}-eval-{evaluation}",
        "evaluation": evaluation_config(
            **common,
            output_uri=artifact + layout.job_prefix(name, "evaluate", ATTEMPT),
            bootstrap=workload.quality.bootstrap,
            seed=workload.model.seed,
            champion=champion,
            champion_manifest_uri=artifact + layout.dataset_manifest_key(name, champion.metadata["dataset_version"])
            if champion
            else "",
        ),
    }


def _cost(jobs: Mapping[str, Mapping[str, Any]]) -> str:
    training, evaluation = jobs["training"], jobs["evaluation"]
    return cost_usd(
        [
            (training["instance_type"], training["billable_seconds"]),
            (evaluation["instance_type"], evaluation["execution_seconds"]),
        ],
        [jobs["dataset"]["scanned_bytes"], jobs["digest"]["scanned_bytes"]],
    )


def _summary(package: registry.Package, reasons: str) -> dict[str, Any]:
    deployable = package.status == registry.APPROVED and not package.backfilled
    return {"version": package.version, "status": package.status, "deployable": deployable, "reasons": reasons}


def _split_uri(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
