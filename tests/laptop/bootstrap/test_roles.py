"""The laptop fills in the policy files of ``infra/policies``."""

from __future__ import annotations

import json

import pytest

from infra.laptop.bootstrap import roles


@pytest.mark.parametrize("role", roles.names())
@pytest.mark.parametrize("kind", ["permissions", "trust"])
def test_every_placeholder_is_filled_in(role: str, kind: str) -> None:
    text = roles.document(role, kind, "lake", "artifact")
    assert "${" not in text
    assert json.loads(text)["Version"] == "2012-10-17"
