"""An approval that is asked for only where there is a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import AirflowFailException, TaskAwaitingInput
from nightjar.approval import ApproveIfOperator

CONTEXT: Any = {"task_instance": type("Instance", (), {"id": "i"})()}


def operator(reason: str = "it costs $6") -> ApproveIfOperator:
    return ApproveIfOperator(task_id="approve", subject="?", reason=reason, response_timeout=timedelta(days=7))


def answered(**event: Any) -> Any:
    given = {"params_input": {}, "responded_at": datetime(2026, 1, 1, tzinfo=UTC), "responded_by_user": None}
    return operator().execute_complete(CONTEXT, {**given, **event})


def test_without_a_reason_nobody_is_asked() -> None:
    assert operator("").execute(CONTEXT) is None


def test_with_a_reason_the_task_waits_without_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **detail: asked.append(detail))
    with pytest.raises(TaskAwaitingInput):
        operator().execute(CONTEXT)
    assert asked[0]["options"] == ["Approve", "Reject"]


def test_a_yes_goes_on() -> None:
    assert answered(chosen_options=["Approve"])["chosen_options"] == ["Approve"]


def test_a_no_fails_without_a_retry() -> None:
    with pytest.raises(AirflowFailException, match="A person has rejected this"):
        answered(chosen_options=["Reject"])


def test_no_answer_fails_without_a_retry() -> None:
    with pytest.raises(AirflowFailException, match="Nobody has answered within 7 days"):
        answered(error="timeout", error_type="timeout")
