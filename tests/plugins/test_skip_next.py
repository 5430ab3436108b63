"""A task that has others behind it skipped, without a process of their own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import DownstreamTasksSkipped
from nightjar.notes import NOTE_KEY
from nightjar.outcomes import skip_next


def test_it_ends_with_its_result_and_says_why_others_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: dict[str, Any] = {}
    context = {"ti": SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}))}
    for module in ("notes", "outcomes"):
        monkeypatch.setattr(f"nightjar.{module}.get_current_context", lambda: context)
    with pytest.raises(DownstreamTasksSkipped) as raised:
        skip_next({"rows": 3}, "There is nothing to tune.", "submit_tuning")
    assert raised.value.tasks == ["submit_tuning"]
    assert pushed == {"return_value": {"rows": 3}, NOTE_KEY: "There is nothing to tune."}
