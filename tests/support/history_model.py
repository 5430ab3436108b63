"""A model of a workload's recorded history, in this process: the data set without a lake, then the real jobs.

Only for workloads without joined tables. ``python -m tests.support.history_model NAME FOLDER`` prints the evaluation's
AUC and the answer of the service to the workload's example.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.lake.instants import parse_instant
from include.model import bundle
from include.sql.splits import split_bounds
from include.training import evaluate, train
from include.workloads import Workload, check_record, load
from include.workloads.schema import feature_column
from infra.laptop.history_source import HistorySource
from tests.support.product_home import DATA
from tests.support.training_inputs import write_manifest, write_model_tar

CUTOFF = datetime(2013, 6, 20, tzinfo=UTC)


def build(workload: Workload, root: Path, cutoff: datetime = CUTOFF) -> dict[str, bytes]:
    """Trains and evaluates on the events known before the cut-off.

    Returns:
        The files of the bundle. ``root`` has what the jobs wrote.
    """
    bounds = split_bounds(workload.dataset, cutoff)
    rows = known_rows(workload, bounds["train"][0].date(), cutoff)
    manifest: dict[str, Any] = {
        "workload": workload.name,
        "cutoff": cutoff.isoformat().replace("+00:00", "Z"),
        "feature_code_hash": workload.feature_code_hash(),
        "splits": {},
    }
    for split, (start, end) in bounds.items():
        chosen = [row for row in rows if start <= row["event_time"] < end]
        place = root / ("processing/input/test" if split == "test" else f"input/data/{split}")
        place.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(chosen, schema(workload)), place / "part-0")
        window = {"digest": "0", "from": start.isoformat(), "to": end.isoformat()}
        manifest["splits"][split] = {"rows": len(chosen), **window}
    write_manifest(root, manifest, workload=workload.name)
    os.environ["ML_ROOT"] = str(root)
    train.main()
    write_model_tar(root)
    evaluate.main(["--workload", workload.name, "--bootstrap", "200", "--seed", "13"])
    return {path.name: path.read_bytes() for path in (root / "model").iterdir()}


def known_rows(workload: Workload, start: date, cutoff: datetime) -> list[dict[str, Any]]:
    """The rows of the data set: each key's features and label, if both were recorded before the cut-off."""
    code = workload.feature_code()
    written: dict[str, dict[str, Any]] = {}
    labels: dict[str, bool] = {}
    for event in HistorySource.open(workload.name, DATA).events(start, cutoff.date()):
        payload, problems = check_record(workload.events[event["event_type"]].fields, event["payload"])
        assert problems == []
        if event["event_type"] == workload.feature_event:
            computed = {feature_column(name): value for name, value in code.features(payload).items()}
            time = parse_instant(event["event_time"])
            written[event["key"]] = {"key": event["key"], "event_time": time, **computed, **payload}
        else:
            # The expressions of these workloads are Python too.
            labels[event["key"]] = bool(eval(workload.label.expression, {}, payload))
    return [{**row, "label": int(labels[key])} for key, row in written.items() if key in labels]


def schema(workload: Workload) -> pa.Schema:
    """The columns of the data set's files."""
    types = {"string": pa.string(), "number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}
    features = [
        (feature_column(name), pa.string() if kind == "category" else pa.float64())
        for name, kind in workload.features.items()
    ]
    request = [(name, types[spec.type]) for name, spec in workload.request.items()]
    return pa.schema(
        [("key", pa.string()), ("event_time", pa.timestamp("ms", "UTC")), ("label", pa.int32()), *features, *request]
    )


def predict(files: dict[str, bytes], *records: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of the service that serves the bundle."""
    from serving.app import ServiceApp
    from serving.middleware import ServiceMiddleware
    from tests.support.asgi import post
    from tests.support.serving_state import make_state

    state = make_state(files=files)
    service = ServiceMiddleware(state, ServiceApp(state))
    headers = {"content-type": "application/json"}
    return [post(service, "/predict", json.dumps(record).encode(), headers).json() for record in records]


def main(name: str, root: Path) -> None:
    workload = load(name)
    files = build(workload, root)
    evaluation = json.loads((root / "processing/output/evaluation.json").read_text())
    example = {field: spec.example for field, spec in workload.request.items()}
    (answer,) = predict(files, example)
    found = {"auc": evaluation["candidate"]["auc"], "bar": workload.quality.bar, "answer": answer}
    sys.stdout.write(json.dumps({**found, "engine": bundle.load(files).manifest.engine}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
