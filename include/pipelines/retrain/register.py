"""The end of a retrain run: the candidate is decided on and registered with its reasons and its model card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from include.errors import RefusedError
from include.lake import layout
from include.lake.fingerprint import canonical_json
from include.lake.uris import s3_uri, split_s3_uri
from include.model.evaluation import Evaluation, EvaluationDigest
from include.pipelines.card import CardFacts, store_card
from include.pipelines.deploy.live_log import read_pointer
from include.pipelines.promotion.decide import Decision, decide
from include.pipelines.promotion.packages import (
    APPROVED,
    NONE,
    PENDING,
    PROMOTED,
    REFUSED,
    REJECTED,
    ApprovalStatus,
    Package,
    PackageMetadata,
    approval_description,
    decimal_text,
    flag_text,
    live_history,
    metadata_texts,
    read_packages,
)
from include.pipelines.protocols import ObjectStore
from include.pipelines.retrain.chosen import chosen_values, tuning_outcome, tuning_record
from include.pipelines.retrain.cost import VersionCosts, version_costs
from include.pipelines.retrain.finished import FinishedEvaluation, FinishedJobs
from include.pipelines.retrain.hooks import RetrainHooks
from include.pipelines.retrain.missing import missing_sentence
from include.pipelines.retrain.plan import DatasetPlan
from include.pipelines.retrain.prepare import PreparedRun
from include.pipelines.retrain.registered import RegisteredPackage, summarize
from include.pipelines.retrain.tuning import declaration_digest
from include.pipelines.training_image import training_image
from include.settings import Settings
from include.workloads import Workload
from include.workloads.tuning import tuned_text

EVALUATE_AGAIN = "Trigger the run again with fresh set: it evaluates again."


@dataclass(frozen=True)
class _EvaluationFile:
    uri: str
    bundle_uri: str
    text: bytes
    document: Evaluation


@dataclass(frozen=True)
class _StoredDocument:
    """A JSON document in S3."""

    uri: str
    sha256: str


def register(
    workload: Workload,
    plan: DatasetPlan,
    prepared: PreparedRun,
    jobs: FinishedJobs,
    settings: Settings,
    hooks: RetrainHooks,
) -> RegisteredPackage:
    """Decides on the candidate, writes the decision to S3 and registers the model package.

    A bundle that is registered already keeps its version and its approval status.

    Raises:
        RefusedError: The evaluation was altered or is not the one that was planned, or another version went live since.
        LiveStateError: The record of what is live is lost or altered.
    """
    evaluation = _read_evaluation(jobs["evaluation"], prepared, hooks.objects)
    packages = read_packages(hooks.registry.described())
    digest = evaluation.document["bundle_digest"]
    existing = next((package for package in packages if package.metadata["bundle_digest"] == digest), None)
    tuning = tuning_record(jobs, prepared["baseline"])
    outcome = tuning_outcome(tuning) if tuning else ""
    decision_key = layout.decision_key(workload.name, jobs["evaluation"]["job_name"])
    decision_uri = s3_uri(settings.artifact_bucket, decision_key)
    if existing and not _lacks_card(existing, decision_uri):
        return summarize(existing, ["This bundle was registered before and keeps its approval status."], outcome)
    history = live_history(packages, _live_versions(workload.name, prepared, hooks))
    decision = decide(evaluation.document, workload.quality, history, champion=prepared["champion"])
    added = filter(None, [missing_sentence(plan["missing_days"]), outcome])
    decision = replace(decision, reasons=[*decision.reasons, *added])
    document = canonical_json(
        {
            "workload": workload.name,
            "day": plan["day"],
            "promote": decision.promote,
            "reasons": decision.reasons,
            "quality": workload.quality.model_dump(),
            "champion": prepared["champion"],
            "live_history": history,
            "missing_days": plan["missing_days"],
            "tuning": tuning,
            "evaluation_uri": evaluation.uri,
        }
    )
    hooks.objects.put(settings.artifact_bucket, decision_key, document)
    record = _StoredDocument(decision_uri, hashlib.sha256(document).hexdigest())
    costs = version_costs(workload.name, jobs, plan, hooks.state)
    approved: ApprovalStatus = APPROVED if workload.approval == "automatic" else PENDING
    answer = hooks.registry.register(
        image=settings.serving_image,
        model_uri=evaluation.bundle_uri,
        status=approved if decision.promote else REJECTED,
        description=approval_description(decision.reasons),
        unique="bundle_digest",
        metadata=metadata_texts(
            _metadata(workload, plan, prepared, jobs, costs, settings, evaluation, decision, record)
        ),
    )
    package = read_packages([answer])[0]
    ran = {
        "data set": plan["key"],
        "training": prepared["training_name"],
        "evaluation": jobs["evaluation"]["job_name"],
    }
    facts = CardFacts(workload, package, evaluation.document, decision.reasons, ran)
    key = layout.card_key(workload.name, jobs["evaluation"]["job_name"])
    if card := store_card(facts, settings.artifact_bucket, key, hooks.objects):
        answer = hooks.registry.add_metadata(package.arn, metadata_texts(card.metadata))
        package = read_packages([answer])[0]
    return summarize(package, decision.reasons, outcome)


def _lacks_card(package: Package, decision_uri: str) -> bool:
    """Whether an earlier attempt of this task has registered the version and ended before its card was recorded."""
    return "card_uri" not in package.metadata and package.metadata["decision_uri"] == decision_uri


def _live_versions(workload: str, prepared: PreparedRun, hooks: RetrainHooks) -> list[int]:
    """Returns the versions that were live, from the champion back; none for a backfilled run."""
    pointer = read_pointer(workload, hooks.state, hooks.service)
    if prepared["backfilled"]:
        return []
    if pointer["version"] != prepared["live"]:
        raise RefusedError(
            f"Version {pointer['version']} went live after the comparison with version {prepared['live']} was planned. "
            "Clear the task prepare with the tasks after it: the candidate is compared again."
        )
    champion, versions = prepared["champion"], pointer["history"]
    return versions[versions.index(champion) :] if champion in versions else versions


def _read_evaluation(job: FinishedEvaluation, prepared: PreparedRun, objects: ObjectStore) -> _EvaluationFile:
    output = job["outputs"]["evaluation"]
    uri = output + layout.EVALUATION_FILE
    text = objects.open(*split_s3_uri(uri)).read()
    recorded, found = _recorded_sha256(job["exit_message"]), hashlib.sha256(text).hexdigest()
    if found != recorded:
        raise RefusedError(
            f"{uri} was altered: its sha256 is {found}, but the evaluation job recorded {recorded}. {EVALUATE_AGAIN}"
        )
    document: Evaluation = json.loads(text)
    for name in ("dataset_version", "champion_digest"):
        if document.get(name) != prepared[name]:
            raise RefusedError(
                f"{uri} has {name} {document.get(name)}, not {prepared[name]} as planned. {EVALUATE_AGAIN}"
            )
    return _EvaluationFile(uri, output + layout.BUNDLE_FILE, text, document)


def _recorded_sha256(exit_message: str) -> str | None:
    try:
        recorded: EvaluationDigest = json.loads(exit_message)
        return recorded["evaluation_sha256"]
    except (ValueError, TypeError, KeyError):
        return None


def _metadata(
    workload: Workload,
    plan: DatasetPlan,
    prepared: PreparedRun,
    jobs: FinishedJobs,
    costs: VersionCosts,
    settings: Settings,
    evaluation: _EvaluationFile,
    decision: Decision,
    record: _StoredDocument,
) -> PackageMetadata:
    candidate, difference = evaluation.document["candidate"], evaluation.document["difference"]
    tuned = chosen_values(jobs, prepared["baseline"])
    return {
        "workload": workload.name,
        "dataset_version": prepared["dataset_version"],
        "code_sha": plan["code_sha"],
        "image": training_image(workload, settings),
        "feature_code_hash": workload.feature_code_hash(),
        "data_cutoff": plan["cutoff"],
        "bundle_digest": evaluation.document["bundle_digest"],
        "bundle_uri": evaluation.bundle_uri,
        "auc": decimal_text(candidate["auc"]),
        "auc_low": decimal_text(candidate["auc_low"]),
        "auc_high": decimal_text(candidate["auc_high"]),
        "champion": str(prepared["champion"] or NONE),
        "auc_difference": decimal_text(difference["auc"]) if difference else NONE,
        "decision": PROMOTED if decision.promote else REFUSED,
        "decision_uri": record.uri,
        "decision_sha256": record.sha256,
        "evaluation_uri": evaluation.uri,
        "evaluation_sha256": hashlib.sha256(evaluation.text).hexdigest(),
        "backfilled": flag_text(prepared["backfilled"]),
        "day": plan["day"],
        "cost_usd": costs["cost_usd"],
        "processing_usd": costs["processing_usd"],
        "tuning": prepared["tuning_name"],
        "tuned": tuned_text(tuned) if tuned else NONE,
        "tuned_for": declaration_digest(workload) if tuned else NONE,
    }
