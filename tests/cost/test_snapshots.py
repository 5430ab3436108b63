"""The snapshots of the plans of dev and prod, which are checked in."""

from __future__ import annotations

import json

import pytest

from infra.cost.__main__ import main


def test_dev_costs_less_than_prod_and_a_workload_less_than_either(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["environments"]
    assert 0 < shown["dev"]["total"] < shown["prod"]["total"]
    assert 0 < shown["dev"]["one_more_workload"] < shown["dev"]["total"]
    types = {line["type"] for line in shown["prod"]["lines"]}
    assert types >= {"aws_mwaa_environment", "aws_rds_cluster", "aws_ecs_task_definition", "aws_kinesis_stream"}
