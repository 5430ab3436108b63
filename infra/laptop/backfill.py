"""``make backfill``: triggers the backfill DAG, shows its plan, answers its approval, and follows it to its report."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from include.lake import layout
from include.pipelines.backfill import backfill_name
from include.pipelines.backfill.words import plan_sentence
from infra.airflow_api import DONE
from infra.airflow_api.entries import label
from infra.laptop.bootstrap.definitions import NAMES
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.stages import Connection, connect

APPROVE, REJECT = "Approve", "Reject"
POLL_SECONDS = 1.0
Answer = Callable[[str], bool]
"""Asks a person to approve; a text says why."""


class BackfillFailedError(LaptopError):
    """A backfill ended red. ``report`` is its report, if it has one."""

    def __init__(self, text: str, report: dict[str, Any] | None) -> None:
        super().__init__(text)
        self.report = report


@dataclass(frozen=True)
class BackfillOrder:
    """What a person asks for; the fields are the form's.

    Attributes:
        workload: The workload.
        conf: The Params of the DAG run.
    """

    workload: str
    conf: dict[str, Any]

    @property
    def dag_id(self) -> str:
        """The DAG."""
        return f"{self.workload}_backfill"


def command(config: LaptopConfig, given: argparse.Namespace) -> None:
    """``make backfill``: what is not given has the form's default."""
    conf: dict[str, Any] = {"from_date": given.first.isoformat(), "to_date": given.last.isoformat()}
    if given.chunk:
        conf["chunk_days"] = given.chunk
    if given.retrain:
        conf["retrain_every"] = given.retrain
    if given.dry_run:
        conf["dry_run"] = True
    run(connect(config), BackfillOrder(given.workload, conf), (lambda _: True) if given.yes else ask)


def ask(why: str) -> bool:
    """Asks at the terminal; without one, the answer is no."""
    try:
        return input(f"\n{why}\nStart it? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def run(connection: Connection, order: BackfillOrder, answer: Answer) -> dict[str, Any] | None:
    """Runs a backfill to its end; returns its report, if it has one.

    Args:
        connection: The stack.
        order: What is asked for.
        answer: Asks a person, if the plan needs an approval.

    Raises:
        BackfillFailedError: The backfill failed. Its report, if it has one, is printed before.
    """
    run_id = connection.airflow.trigger(order.dag_id, order.conf)
    link = connection.airflow.link(order.dag_id, run_id)
    say = connection.reporter.say
    say(f"{order.dag_id} {run_id}: {link}")
    try:
        state = _follow(connection, order, run_id, answer)
    except KeyboardInterrupt:
        say(
            f"The backfill goes on in Airflow. To stop it, mark its run as failed there: {link}. To resume it later, "
            "give the same command again: no published day is repeated."
        )
        raise
    report = _document(connection, order, run_id, "report")
    if report:
        say(report["sentence"])
        say(f"Report: {_page(connection, order, run_id, 'report').as_uri()}")
    if state == "failed":
        text = f"The backfill failed. Look at {link}, then give the same command again: it resumes."
        raise BackfillFailedError(text, report)
    return report


def _follow(connection: Connection, order: BackfillOrder, run_id: str, answer: Answer) -> str:
    """Shows the plan once it is there, answers, shows the chunks; returns the run's state at its end."""
    path = f"/dags/{order.dag_id}/dagRuns/{quote(run_id, safe='')}"
    shown: set[str] = set()
    chosen = ""
    while True:
        connection.airflow.watch()
        state: str = connection.airflow.call("GET", path)["state"]
        tasks = {label(task): task["state"] for task in connection.airflow.tasks(order.dag_id, run_id)}
        if "plan" not in shown and tasks.get("plan") in ("success", "skipped"):
            shown.add("plan")
            _show_plan(connection, order, run_id)
        if tasks.get("approve") == "awaiting_input":
            chosen = _answer(connection, f"{path}/taskInstances/approve/-1/hitlDetails", answer, chosen)
        _show_runs(connection, tasks, shown)
        if state in DONE:
            return state
        time.sleep(POLL_SECONDS)


def _show_plan(connection: Connection, order: BackfillOrder, run_id: str) -> None:
    plan = _document(connection, order, run_id, "plan")
    if plan:
        connection.reporter.say(plan_sentence(plan))  # type: ignore[arg-type]  # as the DAG wrote it
        connection.reporter.say(f"Plan: {_page(connection, order, run_id, 'plan').as_uri()}")


def _answer(connection: Connection, path: str, answer: Answer, chosen: str) -> str:
    """Sends a person's answer; returns it.

    Airflow may take a task that is answered at once for one whose worker died (apache/airflow#72716). Then the task is
    retried and asks again, and gets the same answer.
    """
    detail = connection.airflow.call("GET", path)
    if detail["response_received"]:
        return chosen
    if not chosen:
        chosen = APPROVE if answer(detail["body"]) else REJECT
        connection.reporter.say("approved" if chosen == APPROVE else "rejected: nothing is started")
    connection.airflow.call("PATCH", path, json={"chosen_options": [chosen], "params_input": {}})
    return chosen


def _show_runs(connection: Connection, tasks: dict[str, str | None], shown: set[str]) -> None:
    """Reports each chunk and each retrain that has ended, and how many there are."""
    for group in ("chunks", "retrains"):
        runs = {name: state for name, state in tasks.items() if name.startswith(f"{group}.run[")}
        for name, state in runs.items():
            if state in ("success", "failed") and name not in shown:
                shown.add(name)
                ended = sum(one in shown for one in runs)
                connection.reporter.say(f"{name}: {state} ({ended} of {len(runs)})")


def _document(connection: Connection, order: BackfillOrder, run_id: str, name: str) -> dict[str, Any] | None:
    body = _read(connection, order, run_id, f"{name}.json")
    found: dict[str, Any] | None = None if body is None else json.loads(body)
    return found


def _page(connection: Connection, order: BackfillOrder, run_id: str, name: str) -> Path:
    """Copies a page to this machine."""
    body = _read(connection, order, run_id, f"{name}.html") or b""
    file = connection.config.state / "backfills" / f"{order.workload}-{_folder(order, run_id)}-{name}.html"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    return file


def _folder(order: BackfillOrder, run_id: str) -> str:
    return backfill_name(order.conf["from_date"], order.conf["to_date"], run_id)


def _read(connection: Connection, order: BackfillOrder, run_id: str, name: str) -> bytes | None:
    key = layout.backfill_key(order.workload, _folder(order, run_id), name)
    s3 = connection.aws.s3
    try:
        body: bytes = s3.get_object(Bucket=NAMES.artifact, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    return body
