"""The version that a person asks for."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import UserError
from include.pipelines.deploy.requested import read_version


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, "latest"),
        ("", "latest"),
        ("latest", "latest"),
        ("previous", "previous"),
        ("repair", "repair"),
        ("live", "live"),
        (3, 3),
        ("3", 3),
    ],
)
def test_the_param(given: Any, read: Any) -> None:
    assert read_version(given) == read


@pytest.mark.parametrize("given", ["banana", "-1", -1, 0, 1.5, True, "٣", "{{ 7*7 }}", " 3", "1_0", "9" * 30])
def test_a_wrong_param(given: Any) -> None:
    with pytest.raises(UserError, match="version"):
        read_version(given)
