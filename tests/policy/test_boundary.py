"""The permissions boundary leaves each role what its own policies grant: AWS allows only what both allow."""

from __future__ import annotations

import json
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from infra.laptop.bootstrap.definitions import POLICIES

# Roles of people's workflows are above the boundary (infra/terraform/modules/delivery).
ABOVE = "github-"
BOUNDED = sorted(file for file in POLICIES.glob("*/permissions*.json") if not file.parent.name.startswith(ABOVE))


def statements(file: Path) -> list[dict[str, Any]]:
    return list(json.loads(file.read_text())["Statement"])


def actions(found: Iterable[dict[str, Any]], effect: str) -> set[str]:
    """The actions, in lower case, of the statements with an effect."""
    listed = (statement["Action"] for statement in found if statement["Effect"] == effect)
    return {action.lower() for names in listed for action in ([names] if isinstance(names, str) else names)}


def lost(granted: Iterable[str], boundary: list[dict[str, Any]]) -> set[str]:
    """The granted actions that a boundary does not leave."""
    allowed, denied = actions(boundary, "Allow"), actions(boundary, "Deny")
    return {
        action
        for action in granted
        if not any(fnmatch(action, pattern) for pattern in allowed) or any(fnmatch(action, name) for name in denied)
    }


@pytest.mark.parametrize("file", BOUNDED, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_boundary_leaves_a_role_what_it_is_granted(file: Path) -> None:
    assert lost(actions(statements(file), "Allow"), statements(POLICIES / "boundary.json")) == set()


def test_an_action_that_a_boundary_takes_away_is_found() -> None:
    boundary = [{"Effect": "Allow", "Action": ["s3:*"]}, {"Effect": "Deny", "Action": ["s3:DeleteBucket*"]}]
    assert lost(["s3:getobject", "s3:deletebucketpolicy", "sqs:sendmessage"], boundary) == {
        "s3:deletebucketpolicy",
        "sqs:sendmessage",
    }
