"""The kinds of Params: what their forms show and accept; and keys of a run's configuration that are none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError
from nightjar.params import (
    date_param,
    flag_param,
    instant_param,
    number_param,
    object_param,
    optional_number_param,
    require_known_params,
    suggesting_param,
    text_param,
)

PARAMS = {"date": None, "fresh": False}


@pytest.mark.parametrize("conf", [None, {}, {"date": "2013-03-01"}, PARAMS])
def test_params_are_known(conf: Any) -> None:
    require_known_params(SimpleNamespace(conf=conf), PARAMS)


def test_unknown_keys_are_named_with_near_names() -> None:
    with pytest.raises(
        AirflowFailException, match=r'"dates" \(did you mean "date"\?\), "zzz"\. The Params are date, fresh'
    ):
        require_known_params(SimpleNamespace(conf={"zzz": 1, "dates": 2, "fresh": True}), PARAMS)


VERSION = suggesting_param("Which. Empty: latest.", ["latest", "7"], "^(latest|[1-9][0-9]*)?$")
OVERRIDE = object_param("Why. Empty: none.", {"reason": {"type": "string", "minLength": 3}}, {"reason": "snow"})
COUNT = number_param(3600, "Seconds.", minimum=0, maximum=7200)


@pytest.mark.parametrize(
    ("param", "good", "bad"),
    [
        (date_param("Day. Empty: today."), [None, "2013-03-01"], ["yesterday", "2013-02-30", 20130301, ""]),
        (instant_param("Until. Empty: now."), [None, "2013-03-01T06:00:00.000Z"], [7]),
        (text_param("Why. Empty: none.", "snow", maxLength=5), [None, "snow"], ["too long", 7]),
        (VERSION, [None, "", "latest", "12", 12], ["newest", "0", 0, -1, True, 1.5]),
        (optional_number_param("Days. Empty: 30.", 180, minimum=0), [None, 0, 180], [-1, 1.5, "180"]),
        (COUNT, [0, 7200], [-1, 7201, "60", None]),
        (OVERRIDE, [None, {"reason": "snow"}], [{}, {"reason": "x"}, {"reason": "snow", "more": 1}, "snow"]),
        (flag_param("Whether."), [True, False], ["true", 1, None]),
    ],
)
def test_a_param_accepts_and_refuses(param: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert param.resolve(value) == value
    for value in bad:
        with pytest.raises(ParamValidationError):
            param.resolve(value)


def test_examples_are_in_the_forms_text() -> None:
    assert VERSION.description == "Which. Empty: latest. Examples: latest, 7"
    assert date_param("Day. Empty: today.").description == "Day. Empty: today. Example: 2013-03-01"
    assert OVERRIDE.description == 'Why. Empty: none. Example: {"reason": "snow"}'
    assert COUNT.description == "Seconds. Example: 3600"


def test_the_form_shows_a_text_field_for_a_version_and_suggests_its_examples() -> None:
    """Airflow's form takes the first type that is not null, and suggestions from the examples of a text."""
    assert next(kind for kind in VERSION.schema["type"] if kind != "null") == "string"
    assert VERSION.schema["examples"] == ["latest", "7"]
