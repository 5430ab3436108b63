"""A person's override: what the form takes, what it lets through, and for how long."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from nightjar.catalog import CatalogHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook

from include.errors import RefusedError, UserError
from include.lake import layout, state_keys
from include.pipelines.process.gate import evaluate_gate, gate_days
from include.pipelines.process.override import Override, parse_override
from include.pipelines.process.publish import publish_days
from include.pipelines.process.types import ComparedPlan, GateResult
from tests.support.moto_cloud import LAKE, STATE, MotoCloud
from tests.support.tiny_workload import tiny_workload

DAY = "2013-03-01"
PRESENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORM = {"expectations": ["offered.volume"], "reason": "it was a holiday", "until": "2026-03-05"}


def audited(*names: str, warnings: tuple[str, ...] = ()) -> dict[str, Any]:
    """The audit of a day with critical findings of these names."""
    found = [{"name": name, "severity": "critical", "text": f"{name} failed"} for name in names]
    texts = [entry["text"] for entry in found]
    return {"success": not names, "critical_failures": texts, "warnings": list(warnings), "findings": found}


def override(**changes: Any) -> Override:
    found = parse_override({**FORM, **changes}, PRESENT, "ann")
    assert found is not None
    return found


def test_the_form_is_recorded_with_who_and_when() -> None:
    assert override() == {
        "expectations": ["offered.volume"],
        "reason": "it was a holiday",
        "expires": "2026-03-06T00:00:00.000000Z",
        "recorded_at": "2026-03-01T12:00:00.000000Z",
        "by": "ann",
    }
    assert parse_override(None, PRESENT, "ann") is None


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({}, "needs exactly the keys"),
        ({**FORM, "days": 3}, "needs exactly the keys"),
        ({**FORM, "expectations": []}, "is not a list of names"),
        ({**FORM, "expectations": "offered.volume"}, "is not a list of names"),
        ({**FORM, "expectations": ["offered.report"]}, "cannot be overridden"),
        ({**FORM, "reason": "         because   "}, "is shorter than 10"),
        ({**FORM, "until": "2026-02-28"}, "is not a day from 2026-03-01 to 2026-05-31"),
        ({**FORM, "until": "2026-06-01"}, "is not a day from 2026-03-01 to 2026-05-31"),
        ({**FORM, "until": "soon"}, "is not a day"),
    ],
)
def test_a_mistake_in_the_form_is_refused_at_once(form: Any, text: str) -> None:
    with pytest.raises(UserError, match=text):
        parse_override(form, PRESENT, None)


@pytest.mark.parametrize("until", ["2026-03-01", "2026-05-31"])
def test_the_first_and_the_last_day_that_are_named_are_taken(until: str) -> None:
    assert override(until=until)["expires"] > "2026-03-01T12"


@pytest.mark.parametrize(
    ("audit", "passes"),
    [
        (audited("offered.volume"), True),
        (audited("offered.volume", "offered.volume"), True),
        (audited("offered.volume", "offered.quarantine"), False),
        (audited("offered.report"), False),
        ({**audited("offered.volume"), "findings": []}, False),
        ({**audited("offered.volume"), "critical_failures": ["one", "two"]}, False),
        ({"success": False, "critical_failures": ["offered.volume failed"]}, False),
        ({"success": False, "critical_failures": []}, False),
        (None, False),
    ],
)
def test_it_lets_through_exactly_what_it_names(audit: Any, passes: bool) -> None:
    names = {**override(), "expectations": ["offered.volume", "offered.report"]}
    evaluation = evaluate_gate({"days": {DAY: audit}}, [DAY], {DAY: names})  # type: ignore[dict-item]
    assert evaluation.passed == ([DAY] if passes else [])
    assert list(evaluation.overridden) == evaluation.passed


@pytest.mark.parametrize("audit", [None, "text", [], {}, {"days": {}}])
def test_an_audit_that_cannot_be_read_is_refused_all_the_same(audit: Any) -> None:
    assert evaluate_gate(audit, [DAY], {DAY: override()}).passed == []


def plan(planned_at: str, overriding: Override | None = None) -> ComparedPlan:
    return {
        "days": {DAY: "f"},
        "days_text": DAY,
        "inputs": "s3://a/inputs.json",
        "submit_key": "k",
        "planned_at": planned_at,
        "code_sha": "abc",
        "rows": 900,
        "bytes": 50_000,
        "recent": "s3://a/recent.json",
        "recent_key": "1",
        "override": overriding,
        "markers": {DAY: 1},
        "late": [],
        "unprocessed": {"lines": [], "markers": {}},
    }


def gate(run: str, planned: ComparedPlan, audit: dict[str, Any]) -> GateResult:
    ObjectStoreHook().put(LAKE, layout.audit_key("shop", run), json.dumps({"days": {DAY: audit}}).encode())
    return gate_days("shop", planned, run, LAKE, objects=ObjectStoreHook(), state=StateHook(STATE))


@pytest.mark.stack
def test_a_day_is_published_with_its_override_until_that_expires(cloud: MotoCloud, tmp_path: Path) -> None:
    cloud.client("glue").create_database(DatabaseInput={"Name": "nightjar"})
    state, key = StateHook(STATE), state_keys.day_key("shop", date.fromisoformat(DAY))
    refused = audited("offered.volume", warnings=("price is odd",))
    with pytest.raises(RefusedError, match=r"offered.volume failed \[offered.volume\](.|\n)*Param override"):
        gate("r1", plan("2026-03-01T10:00:00.000000Z"), refused)

    planned = plan("2026-03-01T12:00:00.000000Z", override())
    gated = gate("r2", planned, refused)
    assert gated["passed"] == [DAY]
    assert gated["warnings"] == [
        f"{DAY}: passed by an override of offered.volume (by ann, until 2026-03-06T00:00:00.000000Z): it was a holiday",
        f"{DAY}: overridden: offered.volume failed",
        f"{DAY}: price is odd",
    ]
    publish_days(tiny_workload(tmp_path), planned, "r2", gated, LAKE, catalog=CatalogHook("nightjar"), state=state)
    item = state.get(*key)
    assert item is not None and item["status"] == "published" and item["overridden"] == override()

    assert gate("r3", plan("2026-03-05T23:59:59.999999Z"), refused)["passed"] == [DAY], "it counts for later runs"
    with pytest.raises(RefusedError):
        gate("r4", plan("2026-03-06T00:00:00.000000Z"), refused)
    with pytest.raises(RefusedError):
        gate("r5", plan("2026-03-05T00:00:00.000000Z"), audited("offered.volume", "offered.rows"))


@pytest.mark.stack
def test_a_day_that_needs_no_override_is_published_without(cloud: MotoCloud) -> None:
    gated = gate("r1", plan("2026-03-01T12:00:00.000000Z", override()), audited())
    assert (gated["passed"], gated["overridden"], gated["warnings"]) == ([DAY], {}, [])
