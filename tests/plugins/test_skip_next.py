"""A task that has others behind it skipped, without a process of their own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import DownstreamTasksSkipped
from nightjar.notes import NOTE_KEY
from nightjar.outcomes import skip_next


@pytest.mark.parametrize("multiple_outputs", [True, False])
def test_it_ends_with_its_result_and_says_why_others_are_skipped(
    monkeypatch: pytest.MonkeyPatch, multiple_outputs: bool
) -> None:
    pushed: dict[str, Any] = {}
    task = SimpleNamespace(multiple_outputs=multiple_outputs)
    instance = SimpleNamespace(task=task, xcom_push=lambda key, value: pushed.update({key: value}))
    for module in ("notes", "outcomes"):
        monkeypatch.setattr(f"nightjar.{module}.get_current_context", lambda: {"ti": instance})
    with pytest.raises(DownstreamTasksSkipped) as raised:
        skip_next({"rows": 3}, "There is nothing to tune.", "submit_tuning")
    assert raised.value.tasks == ["submit_tuning"]
    entries = {"rows": 3} if multiple_outputs else {}
    assert pushed == {**entries, "return_value": {"rows": 3}, NOTE_KEY: "There is nothing to tune."}
