"""The evaluation job: ``python -m include.training.evaluate --workload NAME --bootstrap 1000 --seed 13``.

A SageMaker processing job. It scores candidate and champion on one test set, each with its own feature code. Inputs
below ``processing/input`` are ``candidate`` (model.tar.gz), ``test`` (Parquet), ``manifest`` and, if there is a
champion, ``champion`` (bundle.tar.gz) and ``champion_manifest``. It writes ``evaluation.json``, and ``bundle.tar.gz``:
the candidate's bundle, whose sha256 is the bundle digest. Its exit message is the sha256 of ``evaluation.json``, by
which the retrain run checks the document before it decides on it and makes the model card from it.

Fails when one of the models has seen a part of the test set, or cannot be scored on it.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from include.lake import layout
from include.lake.manifest import DatasetManifest
from include.model import bundle, golden
from include.model.bundle import Bundle
from include.model.errors import ScoreError
from include.model.evaluation import DatasetDescription, Evaluation, EvaluationDigest, ModelDescription
from include.training import container, data, findings, leakage, tracking
from include.training.compare import NamedSlices, Resampling, compare
from include.training.container import JobError, log_metric
from include.training.distributions import distributions
from include.training.importance import permutation_importance
from include.training.skew import check_skew
from include.training.slicing import slice_names
from include.workloads import load


class _TestSet(NamedTuple):
    manifest: DatasetManifest
    rows: pa.Table
    labels: np.ndarray


def main(arguments: list[str] | None = None) -> None:
    """Evaluates one candidate.

    Raises:
        JobError: The job's inputs do not fit together, or a model has seen the test set or cannot be scored on it.
    """
    options = _options(arguments)
    quality = load(options.workload).quality
    test = _read_test_set()
    slices = [NamedSlices(spec, slice_names(test.rows, spec)) for spec in quality.slices]

    files, candidate = _load_model("candidate", options)
    matrix = _candidate_matrix(candidate, test)
    scored = {"candidate": candidate.scorer.score(matrix)}
    thresholds = {"candidate": candidate.manifest.threshold}
    champion = _load_champion(options)
    if champion is not None:
        scored["champion"] = _score_champion(champion, test)
        thresholds["champion"] = champion.manifest.threshold

    packed = bundle.pack(files)
    comparison = compare(
        test.labels,
        scored,
        slices,
        thresholds=thresholds,
        resampling=Resampling(options.bootstrap, options.seed),
    )
    evaluation: Evaluation = {
        **comparison,
        "bundle_digest": bundle.sha256_hex(packed),
        "champion_digest": bundle.sha256_hex(_packed("champion")) if champion else None,
        "dataset_version": test.manifest["version"],
        "cutoff": test.manifest["cutoff"],
        "workload": options.workload,
        "bootstrap": {"resamples": options.bootstrap, "seed": options.seed},
        "dataset": _describe_dataset(test.manifest),
        "model": _describe_model(candidate),
        "importance": permutation_importance(candidate.scorer, matrix, test.labels, options.seed),
        "distributions": {
            "rows_of": "test",
            "features": distributions(matrix, candidate.manifest.features, candidate.manifest.categories),
        },
    }
    text = _write(evaluation, packed)
    measured = evaluation["candidate"]
    for name, value in {
        "auc": measured["auc"],
        "auc_low": measured["auc_low"],
        "auc_high": measured["auc_high"],
        "log_loss": measured["log_loss"],
        "brier": measured["brier"],
    }.items():
        log_metric(f"test_{name}", f"{value:.6f}")
    job = tracking.job_of(os.environ.get(tracking.MODEL_URI, ""))
    tracking.track(lambda: findings.of_evaluation(job, evaluation, text))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.training.evaluate")
    parser.add_argument("--workload", required=True)
    parser.add_argument("--bootstrap", type=int, required=True, help="number of resamples")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--champion-digest", help="sha256 that the champion's bundle.tar.gz must have")
    return parser.parse_known_args(arguments)[0]


def _read_test_set() -> _TestSet:
    manifest = data.read_manifest(container.only_file(container.processing_input("manifest")))
    rows = data.read_split(container.processing_input("test"))
    data.check_rows(rows, manifest, "test")
    return _TestSet(manifest, rows, data.labels(rows))


def _load_model(role: str, options: argparse.Namespace) -> tuple[dict[str, bytes], Bundle]:
    """Loads candidate or champion and scores its golden rows again."""
    packed = _packed(role)
    digest = bundle.sha256_hex(packed)
    if role == "champion" and options.champion_digest and digest != options.champion_digest:
        raise JobError(
            f"The champion has the sha256 {digest}, but {options.champion_digest} is live: its bundle "
            "was altered after registration. Restore it, or deploy another version."
        )
    try:
        files = bundle.unpack(packed)
        loaded = bundle.load(files)
    except bundle.BundleError as error:
        raise JobError(f"The {role} is not a valid bundle: {error}") from error
    if loaded.manifest.workload != options.workload:
        raise JobError(
            f"The {role} is a model of workload {loaded.manifest.workload}, not of {options.workload}. "
            "Correct the job's inputs."
        )
    result = golden.rescore(loaded.golden, loaded.schema, loaded.scorer)
    if not result.ok:
        raise JobError(f"The {role} does not score as it did in training: {result.reason}")
    return files, loaded


def _packed(role: str) -> bytes:
    return container.only_file(container.processing_input(role)).read_bytes()


def _load_champion(options: argparse.Namespace) -> Bundle | None:
    return _load_model("champion", options)[1] if container.has_processing_input("champion") else None


def _candidate_matrix(candidate: Bundle, test: _TestSet) -> np.ndarray:
    """The test set as the candidate's own feature code encodes it, after the checks for leakage and skew."""
    leakage.check_unseen(test.rows, candidate, test.manifest, "candidate")
    records = _records(test.rows, candidate, "candidate")
    matrix = data.matrix(test.rows, candidate.manifest.features, candidate.manifest.categories)
    check_skew(candidate.scorer, records, matrix)
    return candidate.scorer.matrix(records)


def _score_champion(champion: Bundle, test: _TestSet) -> np.ndarray:
    manifest = data.read_manifest(container.only_file(container.processing_input("champion_manifest")))
    leakage.check_unseen(test.rows, champion, manifest, "champion")
    try:
        return champion.scorer.probabilities(_records(test.rows, champion, "champion"))
    except ScoreError as error:
        raise JobError(f"The champion cannot be scored on row {error.index} of the test set: {error}") from error


def _records(rows: pa.Table, model: Bundle, role: str) -> list[dict[str, Any]]:
    missing = [name for name in model.schema.fields if name not in rows.column_names]
    if missing:
        raise JobError(
            f"The {role} cannot be scored: the test set lacks {', '.join(missing)}, a part of its request record. "
            "Keep these fields in workload.yaml, and trigger retrain again."
        )
    return data.records(rows, model.schema.fields)


def _describe_dataset(manifest: DatasetManifest) -> DatasetDescription:
    return {
        "splits": {
            name: {
                "rows": split["rows"],
                "positives": split.get("positives"),
                "first": split["from"],
                "end": split["to"],
            }
            for name, split in manifest["splits"].items()
        },
        "missing_days": dict(manifest.get("missing_days", {})),
    }


def _describe_model(candidate: Bundle) -> ModelDescription:
    manifest = candidate.manifest
    description: ModelDescription = {
        "kind": manifest.model["kind"],
        "seed": manifest.model["seed"],
        "hyperparameters": manifest.model["hyperparameters"],
        "threshold": manifest.threshold,
        "engine": manifest.engine,
        "features": dict(manifest.features),
        "code_sha": manifest.code_sha,
        "feature_code_hash": manifest.feature_code_hash,
        "libraries": dict(manifest.libraries),
    }
    if "device" in manifest.model:
        description["device"] = manifest.model["device"]
    return description


def _write(evaluation: Evaluation, packed: bytes) -> str:
    """Writes the outputs; returns the text of ``evaluation.json``."""
    output: Path = container.processing_output()
    text = json.dumps(_nan_to_null(evaluation), indent=1, sort_keys=True, allow_nan=False) + "\n"
    document = text.encode()
    (output / layout.EVALUATION_FILE).write_bytes(document)
    (output / layout.BUNDLE_FILE).write_bytes(packed)
    digest: EvaluationDigest = {"evaluation_sha256": bundle.sha256_hex(document)}
    container.write_exit_message(json.dumps(digest))
    return text


def _nan_to_null(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {name: _nan_to_null(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_nan_to_null(inner) for inner in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


if __name__ == "__main__":
    container.run(main)
