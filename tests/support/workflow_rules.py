"""Rules for GitHub's workflows. Each yields what breaks it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.package.tree import ROOT

FOLDER = ROOT / ".github" / "workflows"
PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
OWN = re.compile(r"uses: \$/\.github/workflows/(\S+)$")
STATIC_KEYS = re.compile(r"aws-access-key-id|aws-secret-access-key|AWS_SECRET_ACCESS_KEY|AKIA[0-9A-Z]{16}|secrets\.")
SEVERAL = {";", "&&", "||", "|", "&"}
WRITES = {"write", "write-all"}
MAY_WRITE = {"id-token", "issues"}


def jobs(source: str) -> dict[str, dict[str, Any]]:
    """The jobs of a workflow by their name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(source)["jobs"]
    return found


def steps(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step, with the name of its job."""
    for name, job in jobs(source).items():
        yield from ((name, step) for step in job.get("steps", []))


def unpinned_actions(source: str) -> Iterator[str]:
    """Actions without the full sha of a commit, and its version as a comment."""
    for line in source.splitlines():
        text = line.strip().removeprefix("- ")
        if text.startswith("uses:") and not PINNED.match(text) and not (own := OWN.match(text)):
            yield text
        elif text.startswith("uses:") and (own := OWN.match(text)) and not (FOLDER / own[1]).is_file():
            yield f"{text}: there is no such workflow"


def loose_permissions(source: str) -> Iterator[str]:
    """A workflow that does not take all permissions away, and jobs that do not name theirs or have more than needed."""
    if yaml.safe_load(source).get("permissions") != {}:
        yield "the workflow: permissions must be {}"
    for name, job in jobs(source).items():
        given = job.get("permissions")
        if not isinstance(given, dict):
            yield f"{name}: permissions must be named"
        elif wrong := {scope for scope, level in given.items() if level in WRITES} - MAY_WRITE:
            yield f"{name}: may write {', '.join(sorted(wrong))}"


def endless_jobs(source: str) -> Iterator[str]:
    """Jobs without a time limit; one that calls a workflow has that one's."""
    for name, job in jobs(source).items():
        if "uses" not in job and not isinstance(job.get("timeout-minutes"), int):
            yield f"{name}: timeout-minutes must be set"


def missing_concurrency(source: str) -> Iterator[str]:
    """Workflows that can run twice at the same time."""
    content = yaml.safe_load(source)
    called = list(content.get(True, {})) == ["workflow_call"]  # YAML 1.1 reads `on` as true
    if not called and "concurrency" not in content:
        yield "the workflow: concurrency must be set"


def kept_credentials(source: str) -> Iterator[str]:
    """Checkouts that leave GitHub's token in the folder."""
    for name, step in steps(source):
        checkout = step.get("uses", "").startswith("actions/checkout@")
        if checkout and step.get("with", {}).get("persist-credentials") is not False:
            yield f"{name}: persist-credentials must be false"


def static_keys(source: str) -> Iterator[str]:
    """Long-lived keys: a role is assumed with GitHub's token instead."""
    yield from (line.strip() for line in source.splitlines() if STATIC_KEYS.search(line))


def injections(source: str) -> Iterator[str]:
    """Expressions in scripts: their text becomes code. An environment variable is none."""
    yield from (f"{name}: {step['run']}" for name, step in steps(source) if "${{" in step.get("run", ""))


def long_scripts(source: str) -> Iterator[str]:
    """Steps of more than one command."""
    for name, step in steps(source):
        script = step.get("run", "").strip()
        if "\n" in script or SEVERAL & set(shlex.split(script, posix=False)):
            yield f"{name}: {script}"


RULES = (
    unpinned_actions, loose_permissions, endless_jobs, missing_concurrency, kept_credentials, static_keys, injections,
    long_scripts,
)  # fmt: skip


def workflows() -> list[Path]:
    """Every workflow."""
    return sorted(FOLDER.glob("*.yml"))
