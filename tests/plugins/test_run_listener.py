"""The listener of DAG runs: what it notes of failed runs, and what fits. The rest is tested on a running Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.models import import_all_models
from airflow.models.base import Base
from airflow.models.dagrun import DagRun
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunType
from nightjar import run_listener
from nightjar.notes import REPORTED, was_reported
from nightjar.run_listener import shortened
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

DAY = datetime(2013, 1, 1, tzinfo=UTC)


@pytest.fixture
def session() -> Iterator[Session]:
    """Airflow's tables, empty."""
    import_all_models()
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as opened:
        yield opened


def run(session: Session, number: int, backfill: int | None, state: DagRunState = DagRunState.RUNNING) -> Any:
    kind = DagRunType.MANUAL if backfill is None else DagRunType.BACKFILL_JOB
    made = DagRun("w_process", f"run{number}", run_type=kind, state=state, run_after=DAY + timedelta(days=number))
    made.backfill_id = backfill
    session.add(made)
    session.flush()
    return made


def fail(dag_run: Any) -> bool:
    """Fails a run as the scheduler does; whether its callback will be silent."""
    dag_run.set_state(DagRunState.FAILED)
    run_listener.on_dag_run_failed(dag_run, "task_failure")
    return was_reported(dag_run)


def test_the_first_failed_run_of_a_backfill_is_reported_and_no_other(session: Session) -> None:
    runs = [run(session, number, backfill=1) for number in range(3)]
    assert [fail(one) for one in runs] == [False, True, True]
    assert runs[1].note == REPORTED


def test_another_backfill_and_runs_of_none_are_reported_by_themselves(session: Session) -> None:
    for number, backfill in enumerate((1, 2, None, None)):
        assert fail(run(session, number, backfill)) is False


def test_a_successful_run_of_the_backfill_reports_nothing(session: Session) -> None:
    run(session, 1, backfill=1, state=DagRunState.SUCCESS)
    assert fail(run(session, 2, backfill=1)) is False


def test_what_fits_stays_as_it_is() -> None:
    assert shortened(["a" * 4, "b" * 4], 10) == ["a" * 4, "b" * 4]


def test_a_long_text_is_cut_and_the_outcome_after_it_is_not() -> None:
    warnings, outcome = "w" * 5000, "Published 2013-03-01."
    cut = shortened([warnings, outcome], 1000)
    assert cut[1] == outcome
    assert cut[0].endswith("w…") and len("\n".join(cut)) == 999


def test_more_texts_than_there_is_room_for_make_no_error() -> None:
    assert len("\n".join(shortened(["text"] * 100, 50))) <= 99 + 100
