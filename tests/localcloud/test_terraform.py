"""Terraform applies configurations to the local cloud, then finds nothing to change, and destroys them.

The project's own configuration is applied in tests/terraform.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.laptop.free_ports import free_port
from tests.support.certificates import certificate
from tests.support.localcloud import Cloud
from tests.support.terraform import Workspace, workspace

pytestmark = pytest.mark.stack

QUIET = ("-input=false", "-parallelism=4", "-compact-warnings")


@pytest.fixture(scope="module")
def cloud(start_cloud: Callable[..., Cloud]) -> Cloud:
    """An empty server: on the session's, other tests leave resources, and Terraform refuses names that exist."""
    return start_cloud()


def prepare(cloud: Cloud, folder: Path, configuration: str) -> Workspace:
    """A configuration with the files that it reads."""
    variables = {}
    if configuration == "edge":
        pem, key = certificate("rides.example.com")
        (folder / "certificate.pem").write_bytes(pem)
        (folder / "key.pem").write_bytes(key)
        variables = {"certificate": "certificate.pem", "private_key": "key.pem"}
        variables |= {"http_port": str(free_port()), "https_port": str(free_port())}
    return workspace(cloud, folder, configuration, variables)


@pytest.mark.timeout(900)  # the provider waits half a minute for each change of a distribution
@pytest.mark.parametrize("configuration", ["cdn", "edge", "other"])
def test_a_second_plan_is_empty_and_destroy_leaves_nothing(cloud: Cloud, tmp_path: Path, configuration: str) -> None:
    terraform = prepare(cloud, tmp_path, configuration)
    applied = terraform.run("apply", "-auto-approve", *QUIET)
    assert applied.returncode == 0, applied.stderr
    plan = terraform.run("plan", "-detailed-exitcode", *QUIET)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    destroyed = terraform.run("destroy", "-auto-approve", "-refresh=false", *QUIET)
    assert destroyed.returncode == 0, destroyed.stderr
    assert json.loads((tmp_path / "terraform.tfstate").read_text())["resources"] == []


def test_types_that_the_local_cloud_lacks_fail_at_once_with_their_name(cloud: Cloud, tmp_path: Path) -> None:
    terraform = prepare(cloud, tmp_path, "refused")
    done = terraform.run("apply", "-auto-approve", "-refresh=false", *QUIET)
    assert done.returncode == 1
    # Each error names its resource; the local cloud's text names the operation.
    text = re.sub(r"\s+", " ", done.stderr)
    declared = re.findall(r'^resource "(\w+)" "this"', (tmp_path / "main.tf").read_text(), re.MULTILINE)
    assert [name for name in declared if f"with {name}.this" not in text] == []
    assert len(re.findall("local cloud (?:cannot do|has no service)", text)) == len(declared)
    started = re.findall(r"(\w+)\.this: Still creating", done.stdout)
    assert started == []
