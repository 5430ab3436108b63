"""The training job: ``python -m include.training.train``.

Inputs are the channels ``train`` and ``validation`` (Parquet) and ``manifest`` (the data set manifest), and the
hyperparameters ``workload``, ``code_sha`` and ``dataset_version``. Any other hyperparameter is one of the model and
overrides the workload's, except those that SageMaker adds to a tuning job's trials, which begin with ``_``.

Writes the files of a bundle into the model folder, with a fast form of the model if one passes the parity gate, and
logs metrics as ``metric:<name>=<value>``. Where a tracking server is configured, the run is tracked there
(:mod:`include.training.tracking`).
"""

from __future__ import annotations

import io
import logging
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import joblib
import numpy as np
import pyarrow as pa
from sklearn.base import BaseEstimator

from include.errors import UserError
from include.lake.manifest import DatasetManifest
from include.model import bundle, golden
from include.model.bundle import training_keys
from include.model.bundle.manifest import parse_manifest
from include.model.engines import ladder
from include.model.engines.ladder import EngineChoice
from include.model.engines.sklearn_model import SklearnModel
from include.model.evaluation import ValidationMetrics
from include.model.golden import GoldenRow
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.training import (
    baseline,
    checkpoints,
    container,
    data,
    estimators,
    findings,
    hyperparameters,
    metrics,
    tracking,
)
from include.training.container import JobError, log_metric
from include.training.skew import check_skew
from include.workloads import Workload, load
from include.workloads.request_features import or_given

THRESHOLD = 0.5
JOB_HYPERPARAMETERS = ("workload", "code_sha", "dataset_version")
# Not __name__, which is __main__ when the job runs.
log = logging.getLogger("include.training.train")


class _Dataset(NamedTuple):
    manifest: DatasetManifest
    train: pa.Table
    validation: pa.Table


class _Fitted(NamedTuple):
    estimator: BaseEstimator
    parameters: dict[str, Any]
    categories: dict[str, list[str]]


def main() -> None:
    """Trains one model and writes its bundle.

    Raises:
        JobError: The job's inputs do not fit together, the model cannot be trained, or the bundle does not score as the
            model does.
    """
    given = container.hyperparameters()
    missing = [name for name in JOB_HYPERPARAMETERS if not given.get(name)]
    if missing:
        raise JobError(f"The job lacks the hyperparameters {', '.join(missing)}. Add them to the training job.")
    workload = load(given["workload"])
    dataset = _read_dataset(given, workload)
    fitted = _fit(given, workload, dataset.train)

    features = or_given(workload.feature_code().features, workload.request_features)
    scorer = Scorer(features, workload.features, fitted.categories, fitted.estimator, THRESHOLD)
    schema = RequestSchema(workload.request, workload.request_rules, workload.request_features)
    matrix = data.matrix(dataset.validation, workload.features, fitted.categories)
    records = data.records(dataset.validation, schema.fields)
    check_skew(scorer, records, matrix)
    valid = _valid_requests(records, schema)
    probabilities = scorer.score(matrix)
    measured: ValidationMetrics = {
        **metrics.measure(data.labels(dataset.validation), probabilities, THRESHOLD),
        "invalid_requests": float(len(records) - len(valid)),
    }
    for name, value in measured.items():
        log_metric(f"validation_{name}", f"{value:.6f}")

    chosen = golden.choose(valid, schema, scorer)
    engine = ladder.choose_engine(
        fitted.estimator,
        matrix,
        scorer.matrix([row.request for row in chosen]),
        categories={
            column: len(fitted.categories[name])
            for column, name in enumerate(workload.features)
            if name in fitted.categories
        },
        threshold=THRESHOLD,
        seed=workload.model.seed,
    )
    _log_parity(engine)

    seen = pa.concat_tables([dataset.train, dataset.validation], promote_options="permissive")
    looked = baseline.make(workload, seen, schema.fields, dataset.validation, probabilities)
    files = _seal(given, workload, dataset, fitted, chosen, engine, measured, looked)
    _verify_golden(files)
    bundle.write_folder(files, container.model_folder())
    rows = {"train": dataset.train.num_rows, "validation": dataset.validation.num_rows}
    job, manifest = os.environ.get(tracking.TRAINING_JOB, ""), parse_manifest(files[bundle.MANIFEST])
    tracking.track(lambda: findings.of_training(job, manifest, rows=rows))


def _read_dataset(given: Mapping[str, str], workload: Workload) -> _Dataset:
    manifest = data.read_manifest(container.only_file(container.channel("manifest")))
    dataset = _Dataset(
        manifest, data.read_split(container.channel("train")), data.read_split(container.channel("validation"))
    )
    if manifest["workload"] != workload.name:
        raise JobError(
            f"The data set is of workload {manifest['workload']}, but the job is of {workload.name}. "
            "Correct the job's inputs."
        )
    if manifest["version"] != given["dataset_version"]:
        raise JobError(
            f"The manifest is of data set {manifest['version']}, but the job was started for "
            f"{given['dataset_version']}. Correct the job's inputs."
        )
    if manifest.get("feature_code_hash") != workload.feature_code_hash():
        raise JobError(
            f"The data set was made by feature code {manifest.get('feature_code_hash')}, but this image has "
            f"{workload.feature_code_hash()}: process the days again with this code, or train with the data set's code"
        )
    data.check_rows(dataset.train, manifest, "train")
    data.check_rows(dataset.validation, manifest, "validation")
    shared = np.intersect1d(
        bundle.key_digests(data.keys(dataset.train)), bundle.key_digests(data.keys(dataset.validation))
    )
    if shared.size:
        raise JobError(
            f"{shared.size} keys are in both the train and the validation split. "
            "Give a key one event time: see the events of these keys."
        )
    return dataset


def _fit(given: Mapping[str, str], workload: Workload, train: pa.Table) -> _Fitted:
    kinds = workload.features
    categories = data.vocabulary(train, kinds, estimators.MAX_CATEGORIES)
    parameters = {**workload.model.hyperparameters, **_own_hyperparameters(given, workload.model.kind)}
    estimator = estimators.make(workload.model.kind, kinds, workload.model.seed, parameters)
    matrix, labels = data.matrix(train, kinds, categories), data.labels(train)
    made_from = {name: given[name] for name in JOB_HYPERPARAMETERS}
    fitted = checkpoints.fit(estimator, made_from, lambda model: estimators.fit(model, matrix, labels))
    return _Fitted(fitted, parameters, categories)


def _own_hyperparameters(given: Mapping[str, str], kind: str) -> dict[str, Any]:
    """The model's hyperparameters among those of the job."""
    names = [name for name in given if name not in JOB_HYPERPARAMETERS and not name.startswith("_")]
    try:
        return hyperparameters.checked(kind, hyperparameters.parse({name: given[name] for name in names}))
    except UserError as error:
        raise JobError(str(error)) from None


def _valid_requests(records: Sequence[dict[str, Any]], schema: RequestSchema) -> list[dict[str, Any]]:
    checked = [schema.check(record) for record in records]
    valid = [result.record for result in checked if not result.errors]
    if not valid:
        first = checked[0].errors[0]
        raise JobError(f"No validation row is a valid request. In the first one, {first.field} {first.message}.")
    return valid


def _log_parity(choice: EngineChoice) -> None:
    for tried in choice.parity:
        if tried.max_difference is not None:
            log_metric("parity_max_difference", f"{tried.max_difference:.3e}")
            log_metric("parity_flipped", str(tried.flipped))
        if not tried.passed:
            log.info("%s does not serve this model: %s", tried.engine, tried.reason)
    log.info("The model is served by %s", choice.engine)


def _seal(
    given: Mapping[str, str],
    workload: Workload,
    dataset: _Dataset,
    fitted: _Fitted,
    golden_rows: Sequence[GoldenRow],
    choice: EngineChoice,
    measured: ValidationMetrics,
    looked: bytes,
) -> dict[str, bytes]:
    seen = bundle.key_digests([*data.keys(dataset.train), *data.keys(dataset.validation)])
    return bundle.seal(
        {
            bundle.FEATURES: workload.features_source.encode(),
            bundle.GOLDEN: golden.format_lines(golden_rows),
            bundle.MODEL: _pickle(fitted.estimator),
            bundle.TRAINING_KEYS: training_keys.to_bytes(seen),
            bundle.BASELINE: looked,
            **choice.files,
        },
        workload=workload.name,
        dataset_version=dataset.manifest["version"],
        cutoff=dataset.manifest["cutoff"],
        code_sha=given["code_sha"],
        feature_code_hash=workload.feature_code_hash(),
        features=workload.features,
        categories=fitted.categories,
        request=workload.request,
        request_rules=workload.request_rules,
        request_features=workload.request_features,
        threshold=THRESHOLD,
        model={
            "kind": workload.model.kind,
            "seed": workload.model.seed,
            "hyperparameters": fitted.parameters,
            **({"device": device} if (device := estimators.device(fitted.estimator)) else {}),
        },
        libraries={
            "python": platform.python_version(),
            "numpy": np.__version__,
            **estimators.libraries(fitted.estimator),
        },
        metrics=measured,
        inputs=choice.inputs,
        parity=choice.parity,
    )


def _pickle(estimator: BaseEstimator) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer)
    return buffer.getvalue()


def _verify_golden(files: Mapping[str, bytes]) -> None:
    """Compares the engine that will serve, and the pickled model, with the fitted model, on the golden rows."""
    loaded = bundle.load(files)
    reference = SklearnModel(joblib.load(io.BytesIO(files[bundle.MODEL])))
    for model in (loaded.model, reference):
        scorer = Scorer(loaded.scorer.features, loaded.manifest.features, loaded.manifest.categories, model, THRESHOLD)
        result = golden.rescore(loaded.golden, loaded.schema, scorer)
        if not result.ok:
            raise JobError(f"The bundle does not score with {model.name} as the model did: {result.reason}")


if __name__ == "__main__":
    container.run(main)
