"""Statistics of a period, and metric math."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy
import pytest

from infra.localcloud.actions import AwsError
from infra.localcloud.cloudwatch import queries
from infra.localcloud.cloudwatch.data import Datum, Grid, MetricIndex, MetricKey, StatisticSet
from infra.localcloud.cloudwatch.statistics import compute

METRIC = MetricKey("N", "m", ())


def datum(*values: float, counts: tuple[float, ...] | None = None, time: float = 0) -> Datum:
    return Datum(METRIC, time, "None", values, counts or (1.0,) * len(values))


@pytest.mark.parametrize("percent", ["0", "1", "50", "90", "99", "99.9", "100"])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_percentiles_are_numpys(percent: str, size: int) -> None:
    drawn = random.Random(size)
    values = [drawn.lognormvariate(0, 2) for _ in range(size)]
    counts = [drawn.randint(1, 5) for _ in range(size)]
    data = [datum(*values[: size // 2 or 1], counts=tuple(map(float, counts[: size // 2 or 1])))]
    if size > 1:
        data.append(datum(*values[size // 2 :], counts=tuple(map(float, counts[size // 2 :]))))
    expected = numpy.percentile(numpy.repeat(values, counts), float(percent))
    found = compute(f"p{percent}", data)
    assert found is not None and math.isclose(found, expected, rel_tol=1e-12)


def test_a_statistic_set_has_a_percentile_only_if_its_values_are_equal() -> None:
    equal = Datum(METRIC, 0, "None", statistics=StatisticSet(2, 2, 6, 3))
    spread = Datum(METRIC, 0, "None", statistics=StatisticSet(1, 3, 6, 3))
    assert compute("p50", [equal, datum(1.0)]) == 2
    assert compute("p50", [spread]) is None
    assert [compute(name, [spread, datum(7.0)]) for name in ("Sum", "SampleCount", "Minimum", "Maximum")] == [
        13, 4, 1, 7,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["tm99", "IQM", "WM(1:9)", "p101", "p-1", "median"])
def test_other_statistics_are_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match="is not computed"):
        compute(name, [datum(1.0)])


def evaluated(expression: str, **metrics: dict[int, float]) -> Any:
    """The values of an expression by minute, over four minutes with these values of metrics."""
    index = MetricIndex()
    asked: list[dict[str, Any]] = [{"Id": "e", "Expression": expression}]
    for name, values in metrics.items():
        key = MetricKey("N", name, ())
        index.add(Datum(key, minute * 60 + 5, "None", (value,), (1.0,)) for minute, value in values.items())
        stat = {"Metric": {"Namespace": "N", "MetricName": name}, "Period": 60, "Stat": "Sum"}
        asked.append({"Id": name, "MetricStat": stat})
    queries.check(asked)
    found = queries.Evaluation(index, asked, lambda period: Grid(0, period, 240)).series("e")
    by_minute = [{int(time // 60): value for time, value in series.items()} for series in found]
    return by_minute[0] if len(by_minute) == 1 else by_minute


A, B = {0: 1.0, 1: 2.0, 3: 4.0}, {0: 0.0, 1: 4.0, 2: 5.0}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("a + 1", {0: 2, 1: 3, 3: 5}),
        ("a * b", {0: 0, 1: 8}),
        ("a / b", {1: 0.5}),
        ("100*a/MAX([b,1])", {0: 100, 1: 50}),
        ("a - 2 ^ 2 * 2", {0: -7, 1: -6, 3: -4}),
        ("-a ^ 2", {0: -1, 1: -4, 3: -16}),
        ("(a + b) / 2", {0: 0.5, 1: 3}),
        ("a >= 2", {0: 0, 1: 1, 3: 1}),
        ("a > 1 AND b > 4 OR a == 2", {0: 0, 1: 1}),
        ("a > 1 && b > 3", {0: 0, 1: 1}),
        ("FILL(a, 0)", {0: 1, 1: 2, 2: 0, 3: 4}),
        ("FILL(a, REPEAT)", {0: 1, 1: 2, 2: 2, 3: 4}),
        ("FILL(a, LINEAR)", {0: 1, 1: 2, 2: 3, 3: 4}),
        ("FILL(a, b)", {0: 1, 1: 2, 2: 5, 3: 4}),
        ("FILL(b, 7) - FILL(a, 1)", {0: -1, 1: 2, 2: 4, 3: 3}),
        ("IF(a > 1, b, 9)", {0: 9, 1: 4}),
        ("IF(b, a, 0)", {0: 0, 1: 2}),
        ("SUM([a, b])", {0: 1, 1: 6, 2: 5, 3: 4}),
        ("SUM(METRICS())", {0: 1, 1: 6, 2: 5, 3: 4}),
        ("AVG(METRICS('b'))", B),
        ("MIN([a, b])", {0: 0, 1: 2, 2: 5, 3: 4}),
        ("a * 0 + SUM(a)", {0: 7, 1: 7, 3: 7}),
        ("a - AVG(b)", {0: -2, 1: -1, 3: 1}),
        ("RATE(a)", {1: 1 / 60, 3: 2 / 120}),
        ("DIFF(a)", {1: 1, 3: 2}),
        ("a / PERIOD(a)", {0: 1 / 60, 1: 2 / 60, 3: 4 / 60}),
        ("CEIL(a / 4) + FLOOR(a / 4) + ABS(-a)", {0: 2, 1: 3, 3: 6}),
        ("LOG10(a * 0 + 100)", {0: 2, 1: 2, 3: 2}),
        ("[a, b] * 2", [{0: 2, 1: 4, 3: 8}, {0: 0, 1: 8, 2: 10}]),
    ],
)
def test_expressions(expression: str, values: Any) -> None:
    found = evaluated(expression, a=A, b=B)
    assert found == (pytest.approx(values) if isinstance(values, dict) else values)


@pytest.mark.parametrize(
    "expression",
    ["SEARCH('{N} m', 'Sum', 60)", "ANOMALY_DETECTION_BAND(a, 2)", "IF(a, STDDEV(a), 0)", "SELECT AVG(a) FROM N"],
)
def test_what_is_not_evaluated_is_refused_by_its_name(expression: str) -> None:
    name = "SELECT" if "SELECT" in expression else "STDDEV" if "STDDEV" in expression else expression.split("(")[0]
    with pytest.raises(NotImplementedError, match=name):
        evaluated(expression, a=A)


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("a +", "ends too early"),
        ("a b", "unexpected 'b'"),
        ("(a", "ends too early"),
        ("a $ 2", "unexpected '\\$ 2'"),
        ("c + 1", "refers to c"),
        ("SUM(a)", "results in a number"),
        ("IF(a, 1)", "takes 3 argument"),
        ("e + 1", "refers to itself"),
        ("'text'", "is no value"),
        ("(" * 60 + "a" + ")" * 60, "more than 50 nested parts"),
        ("__import__('os')", "unexpected '__import__"),
    ],
)
def test_what_is_wrong_is_a_validation_error(expression: str, text: str) -> None:
    with pytest.raises(AwsError, match=text) as caught:
        evaluated(expression, a=A)
    assert caught.value.code == "ValidationError"
