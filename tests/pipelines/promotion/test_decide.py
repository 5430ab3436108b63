"""The promotion decision: what promotes, what does not, and the reasons given."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import include.pipelines.promotion.decide as promotion
from include.pipelines.promotion.decide import Decision
from include.pipelines.promotion.packages import LiveVersion
from include.workloads.training import QualitySpec, SliceSpec

QUALITY = QualitySpec(
    metric="auc",
    bar=0.60,
    margin=0.01,
    slices=(
        SliceSpec(field="carrier", margin=0.10, minimum=200),
        SliceSpec(field="distance", margin=0.05, minimum=300, edges=(500, 1000)),
    ),
    bootstrap=1000,
)


def _evaluation(candidate: float = 0.70, champion: float | None = 0.69, low: float = -0.005) -> dict[str, Any]:
    def scored(auc: float) -> dict[str, Any]:
        slices = {
            "carrier": {"AA": {"rows": 300, "auc": auc}, "UA": {"rows": 400, "auc": auc}},
            "distance": {"below 500": {"rows": 350, "auc": auc}, "from 1000": {"rows": 450, "auc": auc}},
        }
        skipped = {"carrier": {"HA": "20 rows, fewer than 200"}, "distance": {}}
        return {"auc": auc, "slices": slices, "slices_not_measured": skipped}

    if champion is None:
        return {"candidate": scored(candidate), "champion": None, "difference": None}
    difference = {"auc": candidate - champion, "low": low, "high": 0.02}
    return {"candidate": scored(candidate), "champion": scored(champion), "difference": difference}


def _live(version: Any, champion: Any, difference: Any) -> LiveVersion:
    """A version that was live; a package's metadata may hold anything."""
    return {"version": version, "champion": champion, "auc_difference": difference}


def _set(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    *parents, last = path.split(".")
    place = changed
    for name in parents:
        place = place[name]
    place[last] = value
    return changed


def decide(evaluation: dict[str, Any], quality: QualitySpec, history: list[LiveVersion]) -> Decision:
    """Decides with the champion that the evaluation is of."""
    champion = None if "champion" in evaluation and evaluation["champion"] is None else 1
    return promotion.decide(evaluation, quality, history, champion=champion)


def _first(decision: Decision) -> str:
    return decision.reasons[0]


def test_a_better_model_is_promoted_and_every_rule_says_why() -> None:
    decision = decide(_evaluation(), QUALITY, [_live("3", "none", "none")])
    assert decision.promote and len(decision.reasons) == 5
    assert decision.reasons[0] == "The candidate's AUC 0.7000 reaches the bar 0.6000."


def test_without_a_champion_bar_and_slices_decide() -> None:
    assert decide(_evaluation(champion=None), QUALITY, []).promote
    below = decide(_evaluation(0.59, champion=None), QUALITY, [])
    assert not below.promote and _first(below) == "The candidate's AUC 0.5900 is below the bar 0.6000."
    bad_slice = decide(_set(_evaluation(champion=None), "candidate.slices.carrier.AA.auc", 0.49), QUALITY, [])
    assert not bad_slice.promote and _first(bad_slice).startswith(
        "carrier AA: AUC 0.4900 against the bar 0.6000, 300 rows;"
    )


def test_a_worse_model_is_not_promoted() -> None:
    decision = decide(_evaluation(candidate=0.66, champion=0.70, low=-0.06), QUALITY, [])
    assert not decision.promote
    assert (
        _first(decision) == "Candidate minus champion is -0.0400 in AUC; its lower bound -0.0600 is not above -0.0100."
    )


def test_a_bad_slice_stops_a_better_model() -> None:
    decision = decide(_set(_evaluation(), "candidate.slices.carrier.UA.auc", 0.58), QUALITY, [])
    assert not decision.promote
    expected = "carrier UA: AUC 0.5800 against the champion's 0.6900, 400 rows; 0.1100 worse, allowed 0.10."
    assert _first(decision) == expected


def test_each_slice_field_has_its_own_margin() -> None:
    """0.06 worse is within carrier's margin of 0.10 and beyond distance's of 0.05."""
    assert decide(_set(_evaluation(), "candidate.slices.carrier.UA.auc", 0.63), QUALITY, []).promote
    worse = decide(_set(_evaluation(), "candidate.slices.distance.from 1000.auc", 0.63), QUALITY, [])
    assert not worse.promote
    assert _first(worse) == (
        "distance from 1000: AUC 0.6300 against the champion's 0.6900, 450 rows; 0.0600 worse, allowed 0.05."
    )


def test_a_slice_that_the_candidate_lacks_stops_it() -> None:
    """Candidate and champion are scored on one test set, so they have the same slices."""
    evaluation = _evaluation()
    del evaluation["candidate"]["slices"]["carrier"]["AA"]
    decision = decide(evaluation, QUALITY, [])
    assert not decision.promote and "rows of carrier AA is absent" in _first(decision)


def test_slices_that_are_too_small_are_named_and_stop_nobody() -> None:
    reasons = decide(_evaluation(), QUALITY, []).reasons
    assert (
        "By carrier, none of 2 values is more than 0.10 worse. 1 with fewer than 200 rows or one class were not "
        "compared." in reasons
    )
    assert "By distance, none of 2 values is more than 0.05 worse." in reasons
    none = _set(_set(_evaluation(), "candidate.slices.carrier", {}), "champion.slices.carrier", {})
    decision = decide(none, QUALITY, [])
    assert decision.promote
    assert "No value of carrier has 200 rows of both classes, so nothing was compared by it." in " ".join(
        decision.reasons
    )


def test_small_losses_do_not_add_up() -> None:
    """Each run loses less than the margin; the best of the last 30 stops it before twice the margin is lost."""
    history: list[LiveVersion] = [_live(0, "none", "none")]
    for version in range(1, 20):
        if decide(_evaluation(0.6959, 0.70, low=-0.008), QUALITY, history).promote:
            history.insert(0, _live(version, history[0]["version"], -0.0041))
    assert [entry["version"] for entry in history] == [4, 3, 2, 1, 0]


def test_a_harder_week_is_no_loss() -> None:
    """Measured on flights: AUC 0.77 on one run's test week, 0.72 for candidate and champion alike on the next one's."""
    history = [_live(1, "none", "none")]
    assert decide(_evaluation(candidate=0.7248, champion=0.7265, low=-0.0052), QUALITY, history).promote


def test_after_a_rollback_the_chain_goes_on_from_the_version_that_was_restored() -> None:
    history = [_live(4, 1, 0.01), _live(1, "none", "none")]  # 2 and 3 were rolled back
    assert decide(_evaluation(0.695, 0.70), QUALITY, history).promote
    assert decide(_evaluation(0.679, 0.70), QUALITY, [_live(4, 3, -0.01), _live(1, "none", "none")]).promote is False


def test_only_the_last_30_count() -> None:
    chain = [_live(40 - i, 39 - i, 0.0) for i in range(29)]
    best, last = (
        _live(11, 10, -0.2),
        _live(10, "none", "none"),
    )  # version 10 was better by 0.2 than 11, which replaced it
    assert decide(_evaluation(), QUALITY, [*chain, best, last]).promote
    assert not decide(_evaluation(), QUALITY, [*chain[1:], best, last]).promote


NUMBERS = [
    "candidate.auc",
    "candidate.slices.carrier.AA.auc",
    "champion.slices.carrier.AA.auc",
    "difference.low",
    "difference.auc",
]


@pytest.mark.parametrize("path", NUMBERS)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, "nan", "much", True, [], {}])
def test_an_unreadable_number_never_promotes(path: str, value: Any) -> None:
    decision = decide(_set(_evaluation(), path, value), QUALITY, [])
    assert not decision.promote and "absent or not a number" in _first(decision)


@pytest.mark.parametrize(
    "path",
    [
        "candidate",
        "candidate.slices",
        "champion.slices",
        "candidate.slices.carrier",
        "champion.slices.distance",
        "difference",
        "candidate.slices.carrier.AA",
    ],
)
@pytest.mark.parametrize("value", [None, {}, [], "x", 3])
def test_an_absent_part_never_promotes(path: str, value: Any) -> None:
    assert not decide(_set(_evaluation(), path, value), QUALITY, []).promote


def test_an_unreadable_history_never_promotes() -> None:
    assert not decide(_evaluation(), QUALITY, [_live(3, 2, "unknown"), _live(2, "none", "none")]).promote
    assert not decide({}, QUALITY, []).promote


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["auc", "slices", "carrier", "AA", "rows", "low"]), inner)
    ),
    max_leaves=8,
)


@given(
    candidate=anything,
    champion=anything,
    difference=anything,
    history=st.lists(st.dictionaries(st.sampled_from(["version", "champion", "auc_difference"]), anything)),
)
def test_never_fails_and_never_promotes_without_the_numbers(
    candidate: Any, champion: Any, difference: Any, history: Any
) -> None:
    evaluation = {"candidate": candidate, "champion": champion, "difference": difference}
    decision = decide(evaluation, QUALITY, history)
    assert decision.reasons
    if decision.promote:
        assert float(candidate["auc"]) >= QUALITY.bar
        assert champion is None or float(difference["low"]) > -QUALITY.margin


auc = st.floats(0, 1)


@given(candidate=auc, champion=auc, low=st.floats(-1, 1), lost=st.floats(-1, 1), gain=st.floats(0, 1))
def test_a_better_candidate_never_gets_a_worse_decision(
    candidate: float, champion: float, low: float, lost: float, gain: float
) -> None:
    history = [_live(2, 1, -lost), _live(1, "none", "none")]
    if decide(_evaluation(candidate, champion, low), QUALITY, history).promote:
        assert decide(_evaluation(candidate + gain, champion, low + gain), QUALITY, history).promote
        assert candidate >= QUALITY.bar and low > -QUALITY.margin
        assert candidate - champion >= max(lost, 0) - 2 * QUALITY.margin - 1e-12


@pytest.mark.parametrize("champion", [None, "x", {}])
def test_an_evaluation_without_the_champion_that_was_planned_never_promotes(champion: Any) -> None:
    evaluation = _set(_evaluation(), "champion", champion)
    assert not promotion.decide(evaluation, QUALITY, [], champion=3).promote
    without = {"candidate": evaluation["candidate"]}
    decision = promotion.decide(without, QUALITY, [], champion=3)
    assert not decision.promote and "the champion, version 3" in " ".join(decision.reasons)
