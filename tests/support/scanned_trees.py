"""Small trees with one fault each, as the scanners of ``make lint`` read them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scripts.lint import linters
from scripts.steps import HOME, ROOT

WORKFLOW = Path(".github/workflows/it.yml")
GOOD_WORKFLOW = """\
name: it
on:
  pull_request:
permissions: {}
concurrency:
  group: it-${{ github.ref }}
  cancel-in-progress: true
jobs:
  it:
    name: it
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with:
          persist-credentials: false
      - run: echo "$TITLE"
        env:
          TITLE: ${{ github.event.pull_request.title }}
"""
GOOD_DOCKERFILE = """\
FROM python:3.12-slim-bookworm@sha256:54c85f3c47607a77f32adec749d3c81d1348bf25833671f512b26a9b6d778cb3
USER 10001:10001
HEALTHCHECK CMD ["true"]
CMD ["true"]
"""
SECURITY_GROUPS = """\
resource "aws_security_group" "closed" {
  name        = "closed"
  description = "Only from another group"
}
resource "aws_vpc_security_group_ingress_rule" "closed" {
  description                  = "From the load balancer"
  security_group_id            = aws_security_group.closed.id
  referenced_security_group_id = aws_security_group.closed.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}
resource "aws_security_group" "open" {
  name        = "open"
  description = "From everywhere"
}
resource "aws_vpc_security_group_ingress_rule" "open" {
  description       = "From everywhere"
  security_group_id = aws_security_group.open.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
}
"""


def write(root: Path, file: Path | str, text: str) -> Path:
    """Writes a file of a tree."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def lint(name: str, root: Path) -> tuple[int, str]:
    """Runs a linter with the arguments of ``make lint`` in a tree.

    Returns:
        The exit code, and the output.
    """
    assert (HOME / "venvs" / "scan").exists(), "the scanners are not installed: run make setup-test"
    step = linters(root)[name]
    done = subprocess.run(
        step.argv,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
