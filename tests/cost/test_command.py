from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cost import resources
from infra.cost.__main__ import main
from infra.cost.tables import read_prices
from tests.support.cost_plans import plan, resource, tasks


@pytest.fixture
def planned(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan(tasks("flights"), resource("module.serving.aws_lb.this", "aws_lb"))))
    return path


def test_the_same_resources_cost_less_in_dev_than_in_prod(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown: dict[str, Any] = {}
    for environment in ("dev", "prod"):
        assert main(["--env", environment, "--plan", str(planned), "--json"]) == 0
        shown |= json.loads(capsys.readouterr().out)["environments"]
    assert 0 < shown["dev"]["total"] < shown["prod"]["total"]
    assert 0 < shown["dev"]["one_more_workload"] < shown["prod"]["one_more_workload"]
    for found in shown.values():
        assert found["total"] == pytest.approx(sum(line["usd"] for line in found["lines"]), abs=0.01)


def test_a_given_plan_is_shown_and_written_as_a_page(planned: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = planned.with_name("cost.html")
    assert main(["--env", "dev", "--plan", str(planned), "--html", str(page)]) == 0
    shown = capsys.readouterr().out
    for text in ("ecs_task_definition (flights)", "vCPUs of its tasks", "one more costs this", "are from memory"):
        assert text in shown
    assert "ecs_task_definition" in page.read_text()
    assert "http" not in page.read_text().replace("http-equiv", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plan", "x.json"], "name it with ENV=dev or ENV=prod"),
        (["--env", "test"], "usage.yaml has no such environment"),
    ],
)
def test_a_wrong_call_says_what_to_do(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_a_snapshot_keeps_the_groups_and_knows_when_it_is_old(tmp_path: Path, planned: Path) -> None:
    groups = resources.from_plan(json.loads(planned.read_text()), read_prices(), ["flights"])
    sources = tmp_path / "terraform"
    sources.mkdir()
    (sources / "main.tf").write_text("# one")
    digest = resources.source_digest(sources)
    resources.save(tmp_path / "dev.json", "dev", groups, digest, "2026-11-28")
    loaded, of = resources.load(tmp_path / "dev.json")
    assert loaded == groups and of == {"environment": "dev", "planned": "2026-11-28", "sources": digest}
    (sources / "main.tf").write_text("# two")
    assert resources.source_digest(sources) != digest
