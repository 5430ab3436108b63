"""The state table's hook."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nightjar.state.hook import StateHook

from tests.support.moto_cloud import STATE, MotoCloud

pytestmark = pytest.mark.stack


def test_values_come_back_as_they_went(cloud: MotoCloud) -> None:
    item = {"s": "x", "i": 3, "f": 0.1, "b": True, "n": None, "l": [1, {"k": 2.5}], "big": 10**30}
    state = StateHook(STATE)
    state.put("pk", "sk", item)
    assert state.get("pk", "sk") == item
    assert state.get("pk", "other") is None

    async def read() -> list[Any]:
        async with state.reading() as get:
            return [await get("pk", sk) for sk in ("sk", "other")]

    assert asyncio.run(read()) == [item, None]


def test_a_query_gives_every_item_of_a_key(cloud: MotoCloud) -> None:
    state = StateHook(STATE)
    for number in range(3):
        state.put("pk", f"{number}", {"n": number, "pad": "x" * 300_000})
    state.put("other", "0", {"n": 9})
    assert {sk: item["n"] for sk, item in state.query("pk").items()} == {"0": 0, "1": 1, "2": 2}


def test_a_query_for_the_last_items_gives_the_highest_sort_keys_first(cloud: MotoCloud) -> None:
    state = StateHook(STATE)
    for number in range(5):
        state.put("pk", f"{number}", {"n": number})
    assert list(state.query("pk", last=2)) == ["4", "3"]
    assert list(state.query("pk", last=9)) == ["4", "3", "2", "1", "0"]
    assert state.query("none", last=2) == {}


def test_a_conditional_write_is_refused_when_the_condition_fails(cloud: MotoCloud) -> None:
    state = StateHook(STATE)
    assert state.put_if("pk", "sk", {"revision": 1}, "attribute_not_exists(pk)")
    assert not state.put_if("pk", "sk", {"revision": 9}, "attribute_not_exists(pk)")
    assert state.put_if("pk", "sk", {"revision": 2}, "#r = :old", {":old": 1}, {"#r": "revision"})
    assert not state.put_if("pk", "sk", {"revision": 3}, "#r = :old", {":old": 1}, {"#r": "revision"})
    assert state.get("pk", "sk") == {"revision": 2}


def test_an_attribute_that_is_advanced_never_goes_back(cloud: MotoCloud) -> None:
    state = StateHook(STATE)
    assert state.advance("pk", "sk", {"position": "0009"}, "position")
    assert not state.advance("pk", "sk", {"position": "0008"}, "position")
    assert state.advance("pk", "sk", {"position": "0010"}, "position")
    assert state.get("pk", "sk") == {"position": "0010"}


def test_an_error_that_is_not_a_failed_condition_is_raised(cloud: MotoCloud) -> None:
    with pytest.raises(Exception, match=r"ResourceNotFound|not found"):
        StateHook("no-such-table").put_if("pk", "sk", {}, "attribute_not_exists(pk)")
