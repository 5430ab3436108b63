"""GitHub's workflows: pinned, with few permissions, without keys; every command that they call exists."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import pytest

from infra.package.tree import ROOT
from tests.support.workflow_rules import (
    RULES,
    endless_jobs,
    injections,
    kept_credentials,
    long_scripts,
    loose_permissions,
    missing_concurrency,
    static_keys,
    steps,
    unpinned_actions,
    workflows,
)

GOOD = """
on: {push: {branches: [main]}}
permissions: {}
concurrency: deploy
jobs:
  a:
    timeout-minutes: 5
    permissions: {contents: read, id-token: write}
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with: {persist-credentials: false}
      - run: scripts/delivery.sh infra.delivery.deploy --workload "$WORKLOAD"
"""
PIN = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
COMMAND = 'scripts/delivery.sh infra.delivery.deploy --workload "$WORKLOAD"'
OWN_COMMANDS = ("scripts/delivery.sh", ".ci/run")
PROGRAMS = ("make", "terraform")  # what else a step may call


def test_there_are_workflows() -> None:
    names = {path.stem for path in workflows()}
    assert names == {"ci", "deploy", "release", "promote", "drift", "rollback"}


@pytest.mark.parametrize("path", workflows(), ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_workflow_keeps_the_rule(path: Path, rule: object) -> None:
    assert callable(rule)
    assert list(rule(path.read_text())) == []


def test_what_is_good_breaks_no_rule() -> None:
    assert [line for rule in RULES for line in rule(GOOD)] == []


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (unpinned_actions, PIN, "actions/checkout@v6"),
        (unpinned_actions, PIN, PIN.removesuffix(" # v6.0.2")),
        (unpinned_actions, PIN, "actions/checkout@de0fac2 # v6.0.2"),
        (unpinned_actions, PIN, "$/.github/workflows/none.yml"),
        (loose_permissions, "permissions: {}", "permissions: {contents: read}"),
        (loose_permissions, "    permissions: {contents: read, id-token: write}\n", ""),
        (loose_permissions, "contents: read", "contents: write"),
        (endless_jobs, "    timeout-minutes: 5\n", ""),
        (missing_concurrency, "concurrency: deploy\n", ""),
        (kept_credentials, "{persist-credentials: false}", "{persist-credentials: true}"),
        (kept_credentials, "        with: {persist-credentials: false}\n", ""),
        (static_keys, "{persist-credentials: false}", "{aws-access-key-id: x}"),
        (static_keys, '"$WORKLOAD"', "${{ secrets.KEY }}"),
        (injections, '"$WORKLOAD"', '"${{ inputs.workload }}"'),
        (long_scripts, COMMAND, "make a && make b"),
        (long_scripts, COMMAND, "|\n          make a\n          make b"),
        (long_scripts, COMMAND, "make a | tee b"),
    ],
)
def test_each_rule_refuses_what_breaks_it(rule: object, good: str, bad: str) -> None:
    assert callable(rule) and good in GOOD
    assert list(rule(GOOD.replace(good, bad)))


AS_ROOT = 'sudo --preserve-env env PATH="$PATH" '
CALLS = [(path.stem, step["run"]) for path in workflows() for _, step in steps(path.read_text()) if "run" in step]


@pytest.mark.parametrize(("workflow", "script"), CALLS)
def test_every_command_exists_and_its_arguments_parse(workflow: str, script: str) -> None:
    program, *arguments = shlex.split(re.sub(r"\$\{?\w+\}?", "7", script.removeprefix(AS_ROOT)))
    assert program in OWN_COMMANDS or program in PROGRAMS
    if program in OWN_COMMANDS:
        assert (ROOT / program).stat().st_mode & 0o100
    if program != "scripts/delivery.sh":
        return
    name, *options = arguments
    parser = importlib.import_module("infra.package.__main__" if name == "infra.package" else name).parser()
    parser.parse_args(options)


def test_an_argument_that_a_command_lacks_is_noticed() -> None:
    with pytest.raises(SystemExit):
        test_every_command_exists_and_its_arguments_parse("x", "scripts/delivery.sh infra.delivery.deploy --unknown")
