from __future__ import annotations

import pytest

from benchmarks.table import Row, table


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [(1.6, 1.6, "met"), (1.61, 1.6, "MISSED"), (3.0, None, "no target"), (None, 5.0, "not measured")],
)
def test_a_verdict(value: float | None, at_most: float | None, verdict: str) -> None:
    assert Row("x", value, "s", at_most).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(5.0, "met"), (4.99, "MISSED"), (None, "not measured")])
def test_a_verdict_on_a_value_that_should_be_large(value: float | None, verdict: str) -> None:
    row = Row("x", value, "", None, at_least=5)
    assert (row.verdict, row.target) == (verdict, "≥ 5")


def test_the_table_hides_neither_a_miss_nor_what_was_not_measured() -> None:
    text = table([Row("slow", 2.5, "s", 1.0, "because"), Row("unknown", None, "min", 10.0, "no record")])
    assert "2.50 s" in text and "≤ 1 s" in text and "MISSED" in text and "because" in text
    assert "not measured" in text and "no record" in text
