"""Keys of a run's configuration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException
from nightjar.params import require_known_params

PARAMS = {"date": None, "fresh": False}


@pytest.mark.parametrize("conf", [None, {}, {"date": "2013-03-01"}, PARAMS])
def test_params_are_known(conf: Any) -> None:
    require_known_params(SimpleNamespace(conf=conf), PARAMS)


def test_unknown_keys_are_named_with_near_names() -> None:
    with pytest.raises(
        AirflowFailException, match=r'"dates" \(did you mean "date"\?\), "zzz"\. The Params are date, fresh'
    ):
        require_known_params(SimpleNamespace(conf={"zzz": 1, "dates": 2, "fresh": True}), PARAMS)
