"""A request schema with fields that belong together, and records with what is wrong with them."""

from __future__ import annotations

from typing import Any

from include.workloads import FieldSpec
from include.workloads.request_rules import RequestRule
from serving.state import State
from tests.support.bundles import text_files
from tests.support.serving_state import FakeModel, make_state

FIELDS = {name: FieldSpec(type="number", nullable=True) for name in ("text_length", "num_keywords", "lat", "lon")}
RULES = (
    RequestRule(need="at_least_one", fields=("text_length", "num_keywords")),
    RequestRule(need="all_or_none", fields=("lat", "lon")),
)
CASES: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"text_length": 1}, []),
    ({"num_keywords": 1, "lat": 1, "lon": 2}, []),
    ({"text_length": 0, "num_keywords": None, "lat": None, "lon": None}, []),
    ({}, [("", "at least one of text_length, num_keywords must be given")]),
    ({"text_length": None}, [("", "at least one of text_length, num_keywords must be given")]),
    ({"text_length": 1, "lon": 2}, [("lat", "is missing: it belongs to lon")]),
    (
        {"lat": 1},
        [
            ("", "at least one of text_length, num_keywords must be given"),
            ("lon", "is missing: it belongs to lat"),
        ],
    ),
    ({"lat": "north"}, [("lat", "is not a number")]),
]


def state_with_rules() -> State:
    """The state of a service of this schema."""
    files = text_files(request=FIELDS, request_rules=RULES)
    return make_state(FakeModel(lambda row: 0.75), files=files)
