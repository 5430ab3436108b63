"""Each scanner of ``make lint`` accepts a sound tree and refuses one with a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scanned_trees import GOOD_DOCKERFILE, GOOD_WORKFLOW, SECURITY_GROUPS, WORKFLOW, lint, write

pytestmark = pytest.mark.stack

PINNED = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
STATIC = """\
      - uses: aws-actions/configure-aws-credentials@ececac1a45f3b08a01d2dd070d28d111c5fe6722 # v4.1.0
        with:
          aws-access-key-id: ${{ secrets.DEPLOY_ID }}
"""


@pytest.mark.parametrize("scanner", ["zizmor", "actionlint", "static-keys"])
def test_a_sound_workflow_passes(tmp_path: Path, scanner: str) -> None:
    write(tmp_path, WORKFLOW, GOOD_WORKFLOW)
    code, output = lint(scanner, tmp_path)
    assert code == 0, output


@pytest.mark.parametrize(
    ("scanner", "old", "new", "told"),
    [
        ("zizmor", PINNED, "actions/checkout@v6", "unpinned-uses"),
        ("zizmor", 'echo "$TITLE"', "echo ${{ github.event.pull_request.title }}", "template-injection"),
        ("actionlint", 'echo "$TITLE"', "echo ${{ github.event.pull_request.title }}", "potentially untrusted"),
        ("zizmor", "permissions:\n      contents: read", "permissions: write-all", "excessive-permissions"),
        ("zizmor", "  pull_request:", "  pull_request_target:", "dangerous-triggers"),
        ("zizmor", "persist-credentials: false", "fetch-depth: 1", "artipacked"),
        ("actionlint", "runs-on: ubuntu-24.04", "runs-on: ubuntu-24.40", "unknown"),
        ("actionlint", 'echo "$TITLE"', "echo $TITLE", "SC2086"),
        ("static-keys", "      - run", STATIC + "      - run", "it assumes a role by OIDC"),
        ("static-keys", '"$TITLE"', "AKIAABCDEFGHIJKLMNOP", "it assumes a role by OIDC"),
    ],
)
def test_a_workflow_with_a_fault_fails(tmp_path: Path, scanner: str, old: str, new: str, told: str) -> None:
    assert old in GOOD_WORKFLOW
    write(tmp_path, WORKFLOW, GOOD_WORKFLOW.replace(old, new))
    code, output = lint(scanner, tmp_path)
    assert code != 0
    assert told in output


def test_a_sound_dockerfile_passes(tmp_path: Path) -> None:
    write(tmp_path, "serving/Dockerfile", GOOD_DOCKERFILE)
    code, output = lint("hadolint", tmp_path)
    assert code == 0, output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (":3.12-slim-bookworm@sha256:54c85f3c47607a77f32adec749d3c81d1348bf25833671f512b26a9b6d778cb3", "", "DL3006"),
        ("USER 10001:10001", "USER root", "DL3002"),
        ("USER 10001:10001", "RUN pip install requests", "DL3013"),
        ("python:3.12-slim-bookworm", "quay.io/x/python:3.12", "DL3026"),
    ],
)
def test_a_dockerfile_with_a_fault_fails(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD_DOCKERFILE
    write(tmp_path, "serving/Dockerfile", GOOD_DOCKERFILE.replace(old, new))
    code, output = lint("hadolint", tmp_path)
    assert code != 0
    assert told in output


def test_an_open_security_group_fails(tmp_path: Path) -> None:
    write(tmp_path, "infra/terraform/main.tf", SECURITY_GROUPS)
    code, output = lint("checkov", tmp_path)
    assert code != 0
    lines = output.splitlines()
    (found,) = [number for number, line in enumerate(lines) if "CKV_AWS_24:" in line]
    assert "aws_vpc_security_group_ingress_rule.open" in lines[found + 1]
