"""Builds the inputs of jobs and small bundles, through the project's own code."""

from __future__ import annotations

import io
import json
import random
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

from include.model import bundle, golden
from include.model.request import RequestSchema
from include.model.score import Scorer
from include.training import data
from include.workloads import FieldSpec, Workload, load
from include.workloads.feature_code import load_feature_code
from include.workloads.schema import feature_column

TEXT_FEATURES = b"""
FEATURES = {"text_length": "number", "num_keywords": "number"}


def features(record):
    return {"text_length": record["text_length"], "num_keywords": record["num_keywords"]}
"""
TEXT_REQUEST = {
    "text_length": FieldSpec(type="number", min=0, max=10_000, description="characters", example=120),
    "num_keywords": FieldSpec(type="integer", min=0, max=100, example=3),
}
SPLITS = {"train": (46, 1600), "validation": (7, 400), "test": (7, 400)}


def text_files(model: Any = None, **changes: Any) -> dict[str, bytes]:
    """The files of a bundle of two features. ``model`` is pickled in place of the fitted one; ``changes`` go to the manifest."""
    rows = [{"text_length": float(5 + 37 * i % 900), "num_keywords": i % 9} for i in range(60)]
    matrix = np.array([[row["text_length"], row["num_keywords"]] for row in rows])
    fitted = LogisticRegression().fit(matrix, (matrix[:, 1] > 3).astype(int))
    kinds = {"text_length": "number", "num_keywords": "number"}
    scorer = Scorer(load_feature_code(TEXT_FEATURES).features, kinds, {}, fitted, 0.5)
    lines = golden.to_lines(golden.choose(rows, RequestSchema(TEXT_REQUEST), scorer))
    return seal_text(dump(fitted if model is None else model), lines, **changes)


def seal_text(
    model: bytes, golden_lines: bytes, fast_form: dict[str, bytes] | None = None, **changes: Any
) -> dict[str, bytes]:
    fields = {
        "workload": "texts",
        "dataset_version": "d" * 64,
        "cutoff": "2013-03-01T00:00:00Z",
        "code_sha": "c" * 40,
        "feature_code_hash": bundle.digest(TEXT_FEATURES),
        "features": {"text_length": "number", "num_keywords": "number"},
        "categories": {},
        "request": TEXT_REQUEST,
        "threshold": 0.5,
        "model": {"kind": "logistic_regression"},
        "libraries": {},
        "metrics": {"auc": 0.9},
    }
    files = {
        bundle.FEATURES: TEXT_FEATURES,
        bundle.GOLDEN: golden_lines,
        bundle.MODEL: model,
        bundle.TRAINING_KEYS: data.key_digests(["a", "b"]).tobytes(),
        **(fast_form or {}),
    }
    return bundle.seal(files, **{**fields, **changes})


def dump(model: Any) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def make_flights(
    root: Path, seed: int = 1, last: datetime = datetime(2013, 3, 1, tzinfo=UTC), noise: float = 0.3
) -> dict[str, Any]:
    """Random data of workload flights as a training job's inputs below ``root``; returns the data set manifest."""
    workload = load("flights")
    generator = random.Random(seed)
    start = last - timedelta(days=sum(days for days, _ in SPLITS.values()))
    manifest: dict[str, Any] = {
        "workload": "flights",
        "version": f"{seed:064d}",
        "cutoff": last.isoformat().replace("+00:00", "Z"),
        "feature_code_hash": workload.feature_code_hash(),
        "splits": {},
    }
    for split, (days, rows) in SPLITS.items():
        end = start + timedelta(days=days)
        table = _flights_table(workload, generator, start, end, rows, noise)
        place = root / ("processing/input/test" if split == "test" else f"input/data/{split}")
        place.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, place / "part-0")
        manifest["splits"][split] = {"rows": rows, "digest": "x", "from": start.isoformat(), "to": end.isoformat()}
        start = end
    for place in ("input/data/manifest", "processing/input/manifest"):
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / place / "manifest.json").write_text(json.dumps(manifest))
    hyperparameters = {
        "workload": "flights",
        "code_sha": "c" * 40,
        "dataset_version": manifest["version"],
        "max_iter": "40",
    }
    (root / "input/config").mkdir(parents=True, exist_ok=True)
    (root / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
    return manifest


def write_model_tar(root: Path) -> None:
    """The model folder as SageMaker packs it, into the evaluation's input."""
    place = root / "processing/input/candidate"
    place.mkdir(parents=True, exist_ok=True)
    with tarfile.open(place / "model.tar.gz", "w:gz") as archive:
        archive.add(root / "model", arcname=".")


def tar_gz(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    """An archive with any members, sound or not."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _flights_table(
    workload: Workload, generator: random.Random, start: datetime, end: datetime, rows: int, noise: float
) -> pa.Table:
    features = workload.feature_code().features
    records = [{name: _value(spec, generator) for name, spec in workload.request.items()} for _ in range(rows)]
    computed = [features(record) for record in records]
    labels = [int(record["sched_dep_hour"] / 24 + generator.gauss(0, noise) > 0.6) for record in records]
    seconds = (end - start).total_seconds()
    times = [start + timedelta(seconds=seconds * i / rows) for i in range(rows)]
    columns: dict[str, Any] = {
        "key": [f"{time:%Y%m%d}-{generator.getrandbits(64):x}" for time in times],
        "event_time": pa.array(times, pa.timestamp("ms", "UTC")),
        "label": pa.array(labels, pa.int32()),
    }
    columns |= {feature_column(name): [row[name] for row in computed] for name in computed[0]}
    columns |= {name: [record[name] for record in records] for name in workload.request}
    return pa.table(columns)


def _value(spec: FieldSpec, generator: random.Random) -> Any:
    if spec.nullable and generator.random() < 0.1:
        return None
    match spec.type:
        case "string":
            return generator.choice(spec.enum or ("alpha", "beta", "gamma"))
        case "integer":
            return generator.randint(int(spec.min or 0), int(spec.max or 100))
        case _:
            return round(generator.uniform(spec.min or 0, spec.max or 100), 2)
