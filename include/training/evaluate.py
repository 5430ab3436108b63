"""The evaluation, a processing job: ``python -m include.training.evaluate --workload NAME --bootstrap 1000 --seed 13``.

Scores candidate and champion on one test set, each by its own feature code, and writes ``evaluation.json``, ``evaluation.html``
and ``bundle.tar.gz`` (the candidate, deterministic; its sha256 is the bundle digest). Inputs below ``processing/input``:
``candidate`` (model.tar.gz), ``test`` (Parquet), ``manifest``, and, where there is one, ``champion`` (bundle.tar.gz) with
``champion_manifest``.
Fails when the test set is not unseen by both, or when candidate and champion cannot be scored.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from include.model import bundle, golden
from include.model.bundle import Bundle
from include.model.score import ScoreError
from include.training import container, data, leakage, metrics, report
from include.training.container import JobError
from include.training.train import check_skew
from include.workloads import load


def main(arguments: list[str] | None = None) -> None:
    """Evaluates one candidate."""
    options = _options(arguments)
    quality = load(options.workload).quality
    manifest = data.read_manifest(container.only_file(container.processing_input("manifest")))
    test = data.read_split(container.processing_input("test"))
    if test.num_rows != manifest["splits"]["test"]["rows"]:
        raise JobError(
            f"The test split has {test.num_rows} rows, its manifest says {manifest['splits']['test']['rows']}"
        )
    labels = data.labels(test)

    files, candidate = _loaded(
        container.only_file(container.processing_input("candidate")).read_bytes(), "candidate", options
    )
    leakage.check_unseen(test, candidate, manifest, "candidate")
    records = _records(test, candidate, "candidate")
    check_skew(candidate.scorer, records, data.matrix(test, candidate.manifest.features, candidate.manifest.categories))
    scored = {"candidate": candidate.scorer.probabilities(records)}

    champion = _champion(options)
    if champion is not None:
        champion_manifest = data.read_manifest(container.only_file(container.processing_input("champion_manifest")))
        leakage.check_unseen(test, champion, champion_manifest, "champion")
        try:
            scored["champion"] = champion.scorer.probabilities(_records(test, champion, "champion"))
        except ScoreError as error:
            raise JobError(f"The champion cannot be scored on row {error.index} of the test set: {error}") from error

    if quality.slice not in test.column_names:
        raise JobError(f"The test set has no column {quality.slice}, by which the workload slices (quality.slice)")
    packed = bundle.pack(files)
    evaluation = evaluate(
        labels,
        scored,
        test[quality.slice].to_pylist(),
        threshold={
            "candidate": candidate.manifest.threshold,
            "champion": champion.manifest.threshold if champion else 0.5,
        },
        minimum=quality.slice_minimum,
        resamples=options.bootstrap,
        seed=options.seed,
    )
    evaluation |= {
        "bundle_digest": bundle.digest(packed),
        "dataset_version": manifest["version"],
        "cutoff": manifest["cutoff"],
        "workload": options.workload,
        "slice": quality.slice,
        "bootstrap": {"resamples": options.bootstrap, "seed": options.seed},
    }
    _write(evaluation, packed, report.page(evaluation, labels, scored))
    for name in ("auc", "auc_low", "auc_high", "log_loss", "brier"):
        print(f"metric:test_{name}={evaluation['candidate'][name]:.6f}", flush=True)


def evaluate(
    labels: np.ndarray,
    scored: dict[str, np.ndarray],
    slice_values: list[Any],
    *,
    threshold: dict[str, float],
    minimum: int,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """``{"candidate": …, "champion": …|None, "difference": …|None}``; ``scored`` holds probabilities (rows,) by who gave them."""
    samples = dict(zip(scored, metrics.bootstrap_auc(labels, list(scored.values()), resamples, seed), strict=True))
    result: dict[str, Any] = {"champion": None, "difference": None}
    for who, probabilities in scored.items():
        low, high = metrics.interval(samples[who])
        judged, skipped = metrics.slices(labels, probabilities, slice_values, minimum)
        result[who] = {
            **metrics.measure(labels, probabilities, threshold[who]),
            "auc_low": low,
            "auc_high": high,
            "rows": len(labels),
            "slices": judged,
            "slices_not_judged": skipped,
            "calibration": metrics.calibration(labels, probabilities),
        }
    if "champion" in scored:
        low, high = metrics.interval(samples["candidate"] - samples["champion"])
        result["difference"] = {"auc": result["candidate"]["auc"] - result["champion"]["auc"], "low": low, "high": high}
    return result


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.training.evaluate")
    parser.add_argument("--workload", required=True)
    parser.add_argument("--bootstrap", type=int, required=True, help="resamples")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--champion-digest", help="sha256 that the champion's bundle.tar.gz must have")
    return parser.parse_known_args(arguments)[0]


def _loaded(packed: bytes, who: str, options: argparse.Namespace) -> tuple[dict[str, bytes], Bundle]:
    try:
        files = bundle.unpack(packed)
        loaded = bundle.load(files)
    except bundle.BundleError as error:
        raise JobError(f"The {who} is no sound bundle: {error}") from error
    if loaded.manifest.workload != options.workload:
        raise JobError(f"The {who} is a model of workload {loaded.manifest.workload}, not of {options.workload}")
    result = golden.rescore(loaded.golden, loaded.schema, loaded.scorer)
    if not result.ok:
        raise JobError(f"The {who} does not score as it did in training: {result.reason}")
    return files, loaded


def _champion(options: argparse.Namespace) -> Bundle | None:
    if not container.has_processing_input("champion"):
        return None
    packed = container.only_file(container.processing_input("champion")).read_bytes()
    if options.champion_digest and bundle.digest(packed) != options.champion_digest:
        raise JobError(f"The champion's sha256 is {bundle.digest(packed)}, but {options.champion_digest} is live")
    return _loaded(packed, "champion", options)[1]


def _records(test: pa.Table, model: Bundle, who: str) -> list[dict[str, Any]]:
    lacking = [name for name in model.schema.fields if name not in test.column_names]
    if lacking:
        raise JobError(
            f"The test set lacks {', '.join(lacking)}, which the {who}'s request record has: it cannot be scored here"
        )
    return data.records(test, model.schema.fields)


def _write(evaluation: dict[str, Any], packed: bytes, page: str) -> None:
    output: Path = container.processing_output()
    text = json.dumps(_readable(evaluation), indent=1, sort_keys=True, allow_nan=False)
    (output / "evaluation.json").write_text(text + "\n")
    (output / "evaluation.html").write_text(page)
    (output / "bundle.tar.gz").write_bytes(packed)


def _readable(value: Any) -> Any:
    """NaN as null: JSON has no NaN, and the decision treats both as unreadable."""
    if isinstance(value, dict):
        return {name: _readable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_readable(inner) for inner in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


if __name__ == "__main__":
    container.run(main)
