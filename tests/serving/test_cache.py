from __future__ import annotations

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from serving.cache import LONGEST_KEY, AnswerCache, record_key


def test_the_least_recently_used_answer_is_dropped_first():
    cache = AnswerCache(2)
    cache.put("a", 0.1)
    cache.put("b", 0.2)
    assert cache.get("a") == 0.1
    cache.put("c", 0.3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (0.1, None, 0.3)


def test_an_answer_put_again_is_the_most_recent():
    cache = AnswerCache(2)
    for key in ("a", "b", "a", "c"):
        cache.put(key, 0.5)
    assert cache.get("b") is None and cache.get("a") == 0.5


def test_no_entries_switch_it_off():
    cache = AnswerCache(0)
    cache.put("a", 0.1)
    assert cache.get("a") is None and len(cache) == 0


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 6))))
def test_it_behaves_as_a_plain_model_of_it(entries: int, steps: list[tuple[bool, int]]):
    cache, model = AnswerCache(entries), OrderedDict[int, float]()
    for number, (is_put, key) in enumerate(steps):
        if is_put:
            cache.put(key, float(number))
            model.pop(key, None)
            model[key] = float(number)
            while len(model) > entries:
                del model[next(iter(model))]
        else:
            assert cache.get(key) == model.get(key)
            if key in model:
                model[key] = model.pop(key)
    assert len(cache) == len(model)


def test_values_that_python_considers_equal_have_different_keys():
    alike = [0, 0.0, -0.0, False, None, "0", ""], [1, 1.0, True, "1"]
    for values in alike:
        assert len({record_key({"x": value}) for value in values}) == len(values)
    assert record_key({"a": "x", "b": "yz"}) != record_key({"a": "xy", "b": "z"})
    assert record_key({"a": None, "b": 1}) != record_key({"a": 1, "b": None})


def test_equal_records_have_equal_keys():
    one = {"text": "éxy"[:2], "size": float("1e2"), "count": 10**14}
    assert record_key(one) == record_key({"text": "éx", "size": 100.0, "count": 10**14})


def test_the_key_of_a_large_record_is_short():
    long = "x" * 100_000
    assert len(record_key({"text": long})) <= LONGEST_KEY
    assert record_key({"text": long + "y"}) != record_key({"text": long + "z"})
