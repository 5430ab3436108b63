"""``make run`` with several workloads: one that fails, does not load or has no tables keeps no other from running."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from include.workloads import Workload, load
from infra.laptop import bootstrap, loop, replay, stack, stages, summary
from infra.laptop.bootstrap import Resources
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.history_source import HistorySource
from infra.laptop.runs import Airflow
from tests.support.tiny_workload import document, write_workload

FEATURES = 'FEATURES = {"price": "number"}\ndef features(record): return {"price": record["price"]}\n'
IMPORT_ERROR = {"filename": "dags/invalid_workloads.py", "stack_trace": "1 workload(s) do not load"}


class AirflowApi:
    """The part of Airflow's REST API that the start of ``make run`` uses: the DAGs appear one at each request."""

    def __init__(self) -> None:
        self.dags: list[str] = []
        self.shown = 0
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                body = json.dumps(api.answer(path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Prints nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def answer(self, path: str) -> Any:
        if path == "/auth/token":
            return {"access_token": "t"}
        if path == "/api/v2/importErrors":
            return {"import_errors": [IMPORT_ERROR]}
        assert path == "/api/v2/dags"
        self.shown += 1
        return {"dags": [{"dag_id": dag} for dag in self.dags[: self.shown]]}


@pytest.fixture
def airflow() -> Iterator[AirflowApi]:
    api = AirflowApi()
    yield api
    api.server.shutdown()
    api.server.server_close()


@pytest.fixture
def shop(tmp_path: Path) -> Workload:
    """A workload without tables."""
    write_workload(tmp_path, "shop", document(tables=..., database=..., joins=...), FEATURES)
    return load("shop", tmp_path)


def test_only_a_workload_with_tables_has_a_dag_that_reads_them(shop: Workload) -> None:
    assert stages.dags_of(load("flights")) == stages.DAGS
    assert set(stages.DAGS) - set(stages.dags_of(shop)) == {"ingest_tables"}


def test_one_workload_takes_no_other_down(
    airflow: AirflowApi,
    shop: Workload,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``shop`` has no tables, ``ads`` fails, ``broken`` does not load; ``flights`` runs."""
    flights, ran = load("flights"), []
    ads = flights.model_copy(update={"name": "ads"})
    found = (ads, flights, shop)
    airflow.dags = [f"{workload.name}_{dag}" for workload in found for dag in stages.dags_of(workload)]
    resources = Resources(
        bootstrap.settings(), found, "sha", dict.fromkeys(("ads", "flights", "shop"), "http://127.0.0.1:1"),
        {"broken": "broken/workload.yaml: owner: Field required"},
    )  # fmt: skip
    config = LaptopConfig(run=tmp_path, airflow_port=airflow.server.server_address[1])
    nothing: Any = None
    started = stack.Stack(config, nothing, nothing, resources)
    monkeypatch.setattr(stack, "start", lambda config, report: started)
    monkeypatch.setattr(
        stages,
        "connect",
        lambda config, reporter: stages.Connection(config, nothing, Airflow(config.airflow_url), reporter),
    )
    monkeypatch.setattr(stages, "wait_until_live", lambda connection, name, url: None)
    days = date(2013, 1, 1), date(2013, 12, 31)
    history_of = HistorySource("any", tmp_path, *days, timedelta(0), replay)
    monkeypatch.setattr(replay, "has_history", lambda name: name != "shop")
    monkeypatch.setattr(HistorySource, "open", lambda name, data: history_of)
    monkeypatch.setattr(summary, "collect", lambda connection, resources, outcomes, stages: {})
    monkeypatch.setattr(summary, "write", lambda connection, collected: ran.append("summary"))

    def run(self: loop.Nights, day: date) -> None:
        name = self.workload.name
        with self.connection.reporter.stage(f"{name} {day}"):
            if name == "ads":
                raise LaptopError("its process run failed")
            ran.append(f"{name} {day}")

    monkeypatch.setattr(loop.Nights, "process_history", lambda self, first, last: ran.append(f"{first} to {last}"))
    monkeypatch.setattr(loop.Nights, "run", run)
    assert loop.run_loop(config) == 1
    history = "2013-04-21 to 2013-06-18"
    assert sorted(ran[:-1]) == [history, history, "flights 2013-06-19", "flights 2013-06-20"] and ran[-1] == "summary"
    out, err = capsys.readouterr()
    assert "shop has no history to replay: send events to its stream nightjar-shop" in out
    assert "The workload broken is left out.\nbroken/workload.yaml: owner: Field required" in err
    assert "`ads 2013-06-19` failed.\nits process run failed" in err and "shop" not in err
    ran.clear()
    assert loop.run_loop(config, only="flights") == 1, "a workload is left out"
    assert "ads" not in capsys.readouterr().err
    assert ran == [history, "flights 2013-06-19", "flights 2013-06-20", "summary"]
    ran.clear()
    started = replace(started, refused_tables={"flights": "its tables are refused"})
    assert loop.run_loop(config, only="flights") == 1
    out, err = capsys.readouterr()
    assert ran == ["summary"] and "`flights: source tables` failed.\nits tables are refused" in err
    assert "The source tables of flights are not filled: flights_ingest_tables will fail." in out
    assert "✔ flights: open the history" in out and "✘ flights: source tables failed" in out
