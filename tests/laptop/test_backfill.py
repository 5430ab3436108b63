"""``make backfill``: the plan, the approval, the progress, the report, and an interrupt."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.laptop import backfill
from infra.laptop.backfill import BackfillOrder
from infra.laptop.config import LaptopError
from tests.support.backfills import complete_to, march, planned, raw
from tests.support.tiny_workload import tiny_workload

ORDER = BackfillOrder("shop", {"from_date": "2013-03-01", "to_date": "2013-03-10"})


class NoSuchKeyError(Exception):
    """What S3 answers for a key that is not there."""


class Airflow:
    """An Airflow whose backfill run goes through the given looks: state of the run, states of its tasks."""

    def __init__(self, looks: list[tuple[str, dict[str, str]]]) -> None:
        self.looks, self.look = looks, -1
        self.answers: list[list[str]] = []
        self.watch = lambda: None
        self.received = False

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        assert (dag_id, conf) == ("shop_backfill", ORDER.conf)
        return "manual__1"

    def link(self, dag_id: str, run_id: str) -> str:
        return f"http://airflow/{dag_id}/{run_id}"

    def call(self, method: str, path: str, json: Any = None) -> Any:
        if method == "PATCH":
            self.answers.append(json["chosen_options"])
            return None
        if path.endswith("hitlDetails"):
            return {"body": "It may cost $6.", "response_received": self.received}
        self.look += 1
        if self.look >= len(self.looks):
            raise KeyboardInterrupt
        return {"state": self.looks[self.look][0]}

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        found = []
        for name, state in self.looks[self.look][1].items():
            task, _, index = name.partition("[")
            found.append({"task_id": task, "map_index": int(index.rstrip("]") or -1), "state": state})
        return found


class Made:
    """A connection to that Airflow and to an S3 with the documents of the backfill."""

    def __init__(self, folder: Path, *looks: tuple[str, dict[str, str]]) -> None:
        shop = tiny_workload(folder)
        self.plan = planned(shop, raw(shop, march(1, 10)), complete_to(shop, march(10, 10)[0]))
        self.airflow = Airflow(list(looks))
        self.lines: list[str] = []
        documents = {"plan.json": json.dumps(self.plan), "plan.html": "<plan>", "report.html": "<report>"}
        documents["report.json"] = json.dumps({"sentence": "10 days published."})
        get = lambda Bucket, Key: {"Body": io.BytesIO(documents[Key.rsplit("/", 1)[1]].encode())}  # noqa: E731, N803
        s3 = SimpleNamespace(get_object=get, exceptions=SimpleNamespace(NoSuchKey=NoSuchKeyError))
        self.connection: Any = SimpleNamespace(
            airflow=self.airflow,
            aws=SimpleNamespace(s3=s3),
            reporter=SimpleNamespace(say=self.lines.append),
            config=SimpleNamespace(state=folder / "state"),
        )

    def run(self, answer: Any = lambda why: True) -> str:
        backfill.run(self.connection, ORDER, answer)
        return "\n".join(self.lines)


def agreeing(asked: list[str]) -> Any:
    """A person who is asked, and agrees."""

    def answer(why: str) -> bool:
        asked.append(why)
        return True

    return answer


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "POLL_SECONDS", 0)


AWAITING = ("running", {"plan": "success", "approve": "awaiting_input"})
WORKING = ("running", {"plan": "success", "chunks.run[0]": "success", "chunks.run[1]": "deferred"})
ENDED = ("success", {"plan": "success", "chunks.run[0]": "success", "chunks.run[1]": "failed"})


def test_the_plan_the_progress_and_the_report_are_shown(tmp_path: Path) -> None:
    made = Made(tmp_path, ("running", {"plan": "running"}), AWAITING, WORKING, ENDED)
    asked: list[str] = []
    text = made.run(agreeing(asked))
    assert "10 days to process in 3 chunks" in text and "10 days published." in text
    assert "chunks.run[0]: success (1 of 2)" in text and "chunks.run[1]: failed (2 of 2)" in text
    assert (asked, made.airflow.answers) == (["It may cost $6."], [["Approve"]])
    assert len(list((tmp_path / "state" / "backfills").glob("*.html"))) == 2


def test_a_no_is_sent_and_a_failed_run_says_how_to_resume(tmp_path: Path) -> None:
    made = Made(tmp_path, AWAITING, ("failed", {"plan": "success", "approve": "failed"}))
    with pytest.raises(LaptopError, match="give the same command again"):
        made.run(lambda why: False)
    assert made.airflow.answers == [["Reject"]]


def test_a_task_that_asks_again_gets_the_same_answer_and_nobody_is_asked_twice(tmp_path: Path) -> None:
    made = Made(tmp_path, AWAITING, AWAITING, ENDED)
    asked: list[str] = []
    made.run(agreeing(asked))
    assert (len(asked), made.airflow.answers) == (1, [["Approve"], ["Approve"]])
    made = Made(tmp_path / "answered", AWAITING, ENDED)
    made.airflow.received = True
    made.run()
    assert made.airflow.answers == []


def test_an_interrupt_leaves_it_running_and_says_how_to_stop_and_resume(tmp_path: Path) -> None:
    made = Made(tmp_path, WORKING)
    with pytest.raises(KeyboardInterrupt):
        made.run()
    assert "mark its run as failed there: http://airflow/shop_backfill/manual__1" in made.lines[-1]


@pytest.mark.parametrize(("typed", "yes"), [("y", True), ("YES", True), ("", False), ("n", False)])
def test_only_a_yes_is_a_yes(monkeypatch: pytest.MonkeyPatch, typed: str, yes: bool) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt: typed)
    assert backfill.ask("It may cost $6.") is yes
