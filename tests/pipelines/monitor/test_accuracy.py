"""Accuracy from what the query sums up, against the definition of the AUC and of its interval."""

from __future__ import annotations

import random
from statistics import mean, variance

import pytest

from include.pipelines.monitor.accuracy import delays, measure, newest


def placements(scores: list[float], others: list[float]) -> list[float]:
    return [sum((other < score) + (other == score) / 2 for other in others) / len(others) for score in scores]


def judged(positive: list[float], negative: list[float], version: str = "3", period: str = "all") -> list:
    """What the query says of these scores."""
    result = []
    for label, own, others in (("1", positive, negative), ("0", negative, positive)):
        found = placements(own, others)
        parts = [
            version,
            period,
            label,
            repr(mean(found)),
            repr(variance(found)),
            repr(0.5 * len(own)),
            repr(0.2 * len(own)),
        ]
        result.append((parts, len(own)))
    return result


def test_the_auc_is_the_share_of_pairs_in_the_right_order_and_the_interval_covers_the_truth() -> None:
    generator = random.Random(5)
    covered = 0
    for _ in range(200):
        positive = [round(generator.gauss(1, 1), 1) for _ in range(60)]
        negative = [round(generator.gauss(0, 1), 1) for _ in range(140)]
        (found,) = measure(judged(positive, negative))
        pairs = [(p > n) + (p == n) / 2 for p in positive for n in negative]
        assert found["auc"] == pytest.approx(mean(pairs))
        assert found["auc"] is not None and found["low"] is not None and found["high"] is not None
        assert found["low"] < found["auc"] < found["high"]
        covered += found["low"] < 0.760 < found["high"]  # Phi(1 / sqrt 2)
    assert 180 <= covered <= 200
    assert (found["rows"], found["positives"], found["log_loss"], found["brier"]) == (200, 60, 0.5, 0.2)


def test_few_labels_have_no_auc() -> None:
    (found,) = measure(judged([0.9] * 9, [0.1] * 50))
    assert (found["auc"], found["low"], found["rows"]) == (None, None, 59)
    assert measure([(["3", "all", "1", "", "", "1.0E0", "2.0E-1"], 4)])[0]["auc"] is None


def test_versions_and_days_are_apart() -> None:
    both = [*judged([0.9] * 20, [0.1] * 20), *judged([0.1] * 20, [0.9] * 20, "4", "2013-03-01")]
    found = measure(both)
    assert [(one["version"], one["period"], one["auc"]) for one in found] == [
        ("3", "all", 1.0),
        ("4", "2013-03-01", 0.0),
    ]
    assert newest(found, 3) == found[0] and newest(found, 4) is None


def test_a_label_that_was_there_before_its_prediction_has_no_delay() -> None:
    assert delays(["3600", "7200"], 5) == {"rows": 5, "median": 3600.0, "ninth_decile": 7200.0}
    assert delays(["-4.0E8", "-3.0E8"], 5)["median"] is None
    assert delays(["", ""], 0)["ninth_decile"] is None
