"""How a workload's versions are deployed: limits that contradict each other."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from include.workloads.deploying import ShadowSpec


def test_a_shadow_can_have_as_many_requests_as_it_needs() -> None:
    with pytest.raises(ValidationError, match=r"minimum_requests \(500\) is above maximum_requests \(400\).*raise"):
        ShadowSpec(minimum_requests=500, maximum_requests=400)
    assert ShadowSpec(minimum_requests=400, maximum_requests=400).minimum_requests == 400
