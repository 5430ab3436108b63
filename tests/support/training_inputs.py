"""Inputs of the training and evaluation jobs: random data of workload flights, in SageMaker's folders."""

from __future__ import annotations

import json
import random
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.lake.manifest import dataset_version
from include.workloads import FieldSpec, Workload, load
from include.workloads.schema import feature_column

SPLITS = {"train": (46, 1600), "validation": (7, 400), "test": (7, 400)}


def make_flights(
    root: Path, seed: int = 1, last: datetime = datetime(2013, 3, 1, tzinfo=UTC), noise: float = 0.3
) -> dict[str, Any]:
    """Writes the inputs of both jobs below ``root``, except the candidate; returns the data set manifest."""
    workload = load("flights")
    generator = random.Random(seed)
    start = last - timedelta(days=sum(days for days, _ in SPLITS.values()))
    manifest: dict[str, Any] = {
        "workload": "flights",
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
        manifest["splits"][split] = {
            "rows": rows,
            "digest": str(seed),
            "from": start.isoformat(),
            "to": end.isoformat(),
        }
        start = end
    return write_manifest(root, manifest)


def write_manifest(root: Path, manifest: dict[str, Any], workload: str = "flights") -> dict[str, Any]:
    """Writes the manifest of both jobs with its version, and the training job's hyperparameters; returns it."""
    manifest = {**manifest, "version": dataset_version(manifest)}
    for folder in ("input/data/manifest", "processing/input/manifest"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "manifest.json").write_text(json.dumps(manifest))
    hyperparameters = {
        "workload": workload,
        "code_sha": "c" * 40,
        "dataset_version": manifest["version"],
        "max_iter": "40",
    }
    (root / "input/config").mkdir(parents=True, exist_ok=True)
    (root / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
    return manifest


def write_model_tar(root: Path) -> None:
    """Packs the model folder as SageMaker does, as the evaluation job's candidate."""
    place = root / "processing/input/candidate"
    place.mkdir(parents=True, exist_ok=True)
    with tarfile.open(place / "model.tar.gz", "w:gz") as archive:
        archive.add(root / "model", arcname=".")


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
