"""One plan of the whole root for all rules: with a mocked provider, and with a second and a third workload."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.laptop.terraform.binary import FEWER_COLLECTIONS
from infra.laptop.terraform.workspace import CONFIGURATION, WORKLOADS, mirror
from tests.support.applied_root import Delivery, delivered
from tests.support.localcloud import ROOT
from tests.support.terraform import find_terraform
from tests.support.terraform_plans import ADDED, WITH_CANARY, Plan


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """What Terraform would make in an empty account of development."""
    return mocked_plan("dev", tmp_path_factory.mktemp("plan-dev"))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """What Terraform would make in an empty account of production."""
    return mocked_plan("prod", tmp_path_factory.mktemp("plan-prod"))


def mocked_plan(environment: str, folder: Path) -> Plan:
    """Runs ``terraform test`` with the variable file of the environment, and reads the plan that it prints."""
    terraform = find_terraform()
    add_workloads(folder)
    mirror(ROOT, folder)
    run = functools.partial(
        subprocess.run,
        cwd=folder / CONFIGURATION,
        env=FEWER_COLLECTIONS | os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"},
        text=True,
        capture_output=True,
        check=False,
    )
    initialised = run([terraform.path, *terraform.init_arguments, "-backend=false", "-no-color"])
    assert initialised.returncode == 0, initialised.stderr
    tested = run([terraform.path, "test", "-json", "-verbose", f"-var-file=environments/{environment}.tfvars"])
    events = [json.loads(line) for line in tested.stdout.splitlines() if line.startswith("{")]
    errors = [json.dumps(event["diagnostic"], indent=1) for event in events if event.get("@level") == "error"]
    assert tested.returncode == 0, "\n".join(errors) + tested.stderr
    plans = {event["@testrun"]: event["test_plan"] for event in events if event["type"] == "test_plan"}
    found = plans["released"]
    return Plan(found["resource_changes"], found.get("output_changes"))


def add_workloads(folder: Path) -> None:
    """Puts the workloads of the project into the folder, and copies of the first one under other names.

    Only the copies' names in AWS are their own: the stream and the secret, as the loader asks.
    """
    workloads = folder / WORKLOADS
    for source in (ROOT / WORKLOADS).glob("*/workload.yaml"):
        (workloads / source.parent.name).mkdir(parents=True)
        shutil.copy(source, workloads / source.parent.name)
    text = (ROOT / WORKLOADS / "flights" / "workload.yaml").read_text()
    for name in ADDED:
        (workloads / name).mkdir()
        (workloads / name / "workload.yaml").write_text(text.replace("flights", name))
    (workloads / WITH_CANARY).mkdir()
    deploy = "deploy: {canary: {share: 0.1, minutes: 10}, shadow: {hours: 6}}\n"
    (workloads / WITH_CANARY / "workload.yaml").write_text(text.replace("flights", WITH_CANARY) + deploy)


@pytest.fixture(scope="session")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Delivery]:
    """Applied and destroyed once, because it takes minutes."""
    with delivered(tmp_path_factory.mktemp("delivery")) as found:
        yield found
