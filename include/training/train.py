"""The training job: ``python -m include.training.train``.

Channels ``train``, ``validation`` (Parquet) and ``manifest`` (the data set manifest); hyperparameters ``workload``, ``code_sha``,
``dataset_version`` and any of the model's own, which override the workload's. Writes a bundle's files into the model folder,
among them the fast form of the model if one passed the parity gate, and prints metrics as ``metric:<name>=<value>``.
"""

from __future__ import annotations

import io
import platform
from collections.abc import Mapping
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import sklearn

from include.model import bundle, golden
from include.model.engines import ladder
from include.model.engines.ladder import Published
from include.model.engines.sklearn_model import SklearnModel
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.training import container, data, estimators, metrics
from include.training.container import JobError
from include.workloads import Workload, load

THRESHOLD = 0.5
OWN_HYPERPARAMETERS = ("workload", "code_sha", "dataset_version")


def main() -> None:
    """Trains one bundle."""
    given = container.hyperparameters()
    lacking = [name for name in OWN_HYPERPARAMETERS if not given.get(name)]
    if lacking:
        raise JobError(f"The job lacks the hyperparameters {', '.join(lacking)}")
    workload = load(given["workload"])
    manifest = data.read_manifest(container.only_file(container.channel("manifest")))
    train = data.read_split(container.channel("train"))
    validation = data.read_split(container.channel("validation"))
    _check_dataset(manifest, given, workload, {"train": train, "validation": validation})

    kinds = workload.features
    categories = data.vocabulary(train, kinds, estimators.MAX_CATEGORIES)
    parameters = {**workload.model.hyperparameters, **estimators.parse(_model_parameters(given))}
    model = estimators.make(workload.model.kind, kinds, workload.model.seed, parameters)
    estimators.fit(model, data.matrix(train, kinds, categories), data.labels(train))

    source = workload.features_source.encode()
    scorer = Scorer(workload.feature_code().features, kinds, categories, model, THRESHOLD)
    matrix = data.matrix(validation, kinds, categories)
    schema = RequestSchema(workload.request)
    records = data.records(validation, schema.fields)
    check_skew(scorer, records, matrix)
    measured = metrics.measure(data.labels(validation), scorer.score(matrix), THRESHOLD)
    valid = [checked.record for checked in map(schema.check, records) if not checked.errors]
    if not valid:
        first = schema.check(records[0]).errors[0]
        raise JobError(f"No validation row is a valid request; the first one: {first.field} {first.message}")
    measured["invalid_requests"] = float(len(records) - len(valid))
    for name, value in measured.items():
        print(f"metric:validation_{name}={value:.6f}", flush=True)

    chosen = golden.choose(valid, schema, scorer)
    published = ladder.publish(
        model,
        matrix,
        scorer.matrix([row.request for row in chosen]),
        categories={at: len(categories[name]) for at, name in enumerate(kinds) if name in categories},
        threshold=THRESHOLD,
        seed=workload.model.seed,
    )
    _print_parity(published)

    seen = data.key_digests([*data.keys(train), *data.keys(validation)])
    files = bundle.seal(
        {
            bundle.FEATURES: source,
            bundle.GOLDEN: golden.to_lines(chosen),
            bundle.MODEL: _dump(model),
            bundle.TRAINING_KEYS: seen.tobytes(),
            **published.files,
        },
        workload=workload.name,
        dataset_version=manifest["version"],
        cutoff=manifest["cutoff"],
        code_sha=given["code_sha"],
        feature_code_hash=workload.feature_code_hash(),
        features=kinds,
        categories=categories,
        request=workload.request,
        threshold=THRESHOLD,
        model={"kind": workload.model.kind, "seed": workload.model.seed, "hyperparameters": parameters},
        libraries={"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__},
        metrics=measured,
        inputs=published.inputs,
        parity=published.parity,
    )
    _prove(files)
    bundle.write_folder(files, container.model_folder())


def check_skew(scorer: Scorer, records: list[dict[str, Any]], matrix: np.ndarray) -> None:
    """Features of the lake against those that the serving path computes from the same rows: any difference is an error."""
    served = scorer.matrix(records)
    # Another machine's libm may differ in the last digit.
    differs = ~np.isclose(served, matrix, rtol=1e-9, atol=1e-9, equal_nan=True)
    if differs.any():
        row, column = (int(place) for place in np.argwhere(differs)[0])
        raise JobError(
            f"Feature {list(scorer.kinds)[column]} differs between the data set ({matrix[row, column]!r}) and the serving path "
            f"({served[row, column]!r}), in {int(differs.any(axis=1).sum())} of {len(records)} rows; request {records[row]}"
        )


def _check_dataset(
    manifest: Mapping[str, Any], given: Mapping[str, str], workload: Workload, tables: dict[str, pa.Table]
) -> None:
    if manifest["workload"] != workload.name:
        raise JobError(f"The data set is of workload {manifest['workload']}, the job of {workload.name}")
    if manifest["version"] != given["dataset_version"]:
        raise JobError(
            f"The manifest is of data set {manifest['version']}, the job asked for {given['dataset_version']}"
        )
    if manifest.get("feature_code_hash") != workload.feature_code_hash():
        raise JobError(
            f"The data set was made by feature code {manifest.get('feature_code_hash')}, this image has "
            f"{workload.feature_code_hash()}: process the days again with this code, or train with the code of the data set"
        )
    for name, table in tables.items():
        expected = manifest["splits"][name]["rows"]
        if table.num_rows != expected:
            raise JobError(f"Split {name} has {table.num_rows} rows, its manifest says {expected}")
    both = np.intersect1d(*(data.key_digests(data.keys(table)) for table in tables.values()))
    if both.size:
        raise JobError(f"{both.size} keys are in both the train and the validation split")


def _model_parameters(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name not in OWN_HYPERPARAMETERS}


def _dump(model: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def _print_parity(published: Published) -> None:
    for tried in published.parity:
        if tried.max_difference is not None:
            print(f"metric:parity_max_difference={tried.max_difference:.3e}", flush=True)
            print(f"metric:parity_flipped={tried.flipped}", flush=True)
        if not tried.passed:
            print(f"{tried.engine} does not serve this model: {tried.reason}", flush=True)
    print(f"The model is served by {published.engine}", flush=True)


def _prove(files: dict[str, bytes]) -> None:
    """The golden rows, which the fitted model scored, by the engine that will serve and by the pickled model."""
    loaded = bundle.load(files)
    reference = SklearnModel(joblib.load(io.BytesIO(files[bundle.MODEL])))
    for model in (loaded.model, reference):
        scorer = Scorer(loaded.scorer.features, loaded.manifest.features, loaded.manifest.categories, model, THRESHOLD)
        result = golden.rescore(loaded.golden, loaded.schema, scorer)
        if not result.ok:
            raise JobError(f"The bundle does not score with {model.name} as the model did: {result.reason}")


if __name__ == "__main__":
    container.run(main)
