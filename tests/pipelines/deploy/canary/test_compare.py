"""Which canaries are promoted and which go back, by what was answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.pipelines.deploy.canary.chance import at_least
from include.pipelines.deploy.canary.compare import Answered, Verdict, early_verdict, shift, verdict
from include.workloads.deploying import CanarySpec

SPEC = CanarySpec(share=0.1, minutes=10)
BELL = (0.0, 10.0, 40.0, 90.0, 160.0, 160.0, 90.0, 40.0, 10.0, 0.0)
LIVE = Answered(requests=9_000, failed=9, p95_seconds=0.020, scores=tuple(15 * number for number in BELL))
GOOD = Answered(requests=1_000, failed=1, p95_seconds=0.021, scores=tuple(1.6 * number for number in BELL))


def judge(canary: Answered, live: Answered = LIVE, *, same_model: bool = False, **spec: object) -> Verdict:
    return verdict(live, canary, SPEC.model_copy(update=spec), same_model=same_model)


def outcome(decided: Verdict) -> tuple[str, bool]:
    return decided["outcome"], decided["fault"]


def test_one_that_answers_as_well_is_promoted_and_the_reason_has_the_numbers() -> None:
    decided = judge(GOOD)
    assert outcome(decided) == ("promote", False)
    (reason,) = decided["reasons"]
    for part in ("1000 requests to the canary", "9000 to the live", "1 of 1000", "p95 21.0 ms", "20.0 ms", "0.000"):
        assert part in reason


@pytest.mark.parametrize(
    ("canary", "reason"),
    [
        (replace(GOOD, failed=40), "fails more often: 40 of 1000 requests failed (4.00%)"),
        (replace(GOOD, p95_seconds=0.090), "slower: p95 90.0 ms, of the live version 20.0 ms"),
        (replace(GOOD, scores=(*BELL[5:], *BELL[:5])), "scores otherwise: distance of the scores' distributions 0.400"),
    ],
)
def test_one_that_answers_worse_goes_back_and_is_at_fault(canary: Answered, reason: str) -> None:
    decided = judge(canary)
    assert outcome(decided) == ("roll_back", True)
    assert reason in decided["reasons"][0]


def test_every_fault_is_told() -> None:
    decided = judge(Answered(requests=1_000, failed=100, p95_seconds=0.2, scores=GOOD.scores))
    assert len(decided["reasons"]) == 3


@pytest.mark.parametrize(
    "canary",
    [
        replace(GOOD, failed=8),  # 0.8 %: within the margin
        replace(GOOD, p95_seconds=0.034),  # 1.5 times and the slack
        replace(GOOD, scores=tuple(one + other for one, other in zip(BELL, (*BELL[1:], BELL[0]), strict=True))),  # 0.13
        replace(GOOD, p95_seconds=None, scores=(0.0,) * 10),
    ],
)
def test_what_is_within_the_limits_is_promoted(canary: Answered) -> None:
    assert outcome(judge(canary)) == ("promote", False)


def test_a_difference_that_chance_explains_is_no_fault() -> None:
    few = Answered(requests=200, failed=4, p95_seconds=0.02, scores=(20.0,) * 10)
    live = Answered(requests=200, failed=1, p95_seconds=0.02, scores=(20.0,) * 10)
    assert outcome(judge(few, live)) == ("promote", False)  # 2 %; at the 1.5 % that are allowed, as likely as not
    many = replace(few, requests=4_000, failed=80)
    assert outcome(judge(many, replace(live, requests=4_000, failed=20))) == ("roll_back", True)


def test_few_scores_are_no_distribution() -> None:
    decided = judge(replace(GOOD, scores=(5.0, *(0.0,) * 9)), replace(LIVE, scores=(2.0, 3.0, *(0.0,) * 8)))
    assert outcome(decided) == ("promote", False)  # a distance of 0.6 among ten scores


@pytest.mark.parametrize(("rule", "text"), [("roll_back", "it is rolled back"), ("promote", "it is promoted")])
def test_too_few_requests_are_decided_by_the_rule_and_reject_nothing(rule: str, text: str) -> None:
    decided = judge(replace(GOOD, requests=199, failed=0), too_few=rule)
    assert outcome(decided) == (rule, False)
    assert "Too little traffic for a comparison: 199 requests to the canary" in decided["reasons"][0]
    assert text in decided["reasons"][1]


def test_too_few_requests_to_the_live_version_are_too_few_as_well() -> None:
    assert outcome(judge(GOOD, replace(LIVE, requests=50, failed=0))) == ("roll_back", False)


def test_no_request_at_all_is_too_few() -> None:
    nothing = Answered(requests=0, failed=0, p95_seconds=None, scores=(0.0,) * 10)
    assert outcome(judge(nothing, nothing)) == ("roll_back", False)
    assert outcome(judge(nothing, nothing, too_few="promote")) == ("promote", False)


def test_what_is_seen_of_few_requests_is_a_fault_all_the_same() -> None:
    """The rule for little traffic must not promote a version that fails what it gets."""
    canary = replace(GOOD, requests=60, failed=30)
    assert outcome(judge(canary, too_few="promote")) == ("roll_back", True)


@pytest.mark.parametrize(
    ("live", "failed", "requests"),
    [(10, 11, 40), (3, 25, 40), (5, 12, 30), (19, 8, 60), (199, 8, 60)],
)
def test_a_live_version_with_few_requests_saves_no_canary_that_fails(live: int, failed: int, requests: int) -> None:
    """It has failed none, and the rule is to promote where there is too little traffic."""
    canary = replace(GOOD, requests=requests, failed=failed)
    decided = judge(canary, replace(LIVE, requests=live, failed=0), too_few="promote")
    assert outcome(decided) == ("roll_back", True)


def test_the_scores_of_the_same_model_are_not_compared() -> None:
    canary = replace(GOOD, scores=(*BELL[5:], *BELL[:5]))
    decided = judge(canary, same_model=True)
    assert outcome(decided) == ("promote", False)
    assert "the model is the same" in decided["reasons"][0]


def test_only_errors_beyond_doubt_end_a_comparison_early() -> None:
    assert early_verdict(LIVE, GOOD, SPEC) is None
    assert early_verdict(LIVE, replace(GOOD, p95_seconds=9.0), SPEC) is None
    assert early_verdict(LIVE, Answered(20, 20, 0.02, ()), SPEC) is None  # too soon
    assert early_verdict(LIVE, Answered(40, 1, 0.02, ()), SPEC) is None
    decided = early_verdict(LIVE, Answered(40, 12, 0.02, ()), SPEC)
    assert decided is not None
    assert outcome(decided) == ("roll_back", True)


def test_where_everything_fails_there_is_no_difference() -> None:
    """The live version fails as well: the cause is not the version's."""
    failing = Answered(requests=500, failed=500, p95_seconds=0.02, scores=(0.0,) * 10)
    assert outcome(judge(failing, failing)) == ("promote", False)


@pytest.mark.parametrize(
    ("failed", "requests", "rate", "probability"),
    [(0, 10, 0.1, 1.0), (1, 10, 0.1, 0.6513), (10, 10, 0.5, 0.000977), (3, 10, 0.0, 0.0), (3, 10, 1.0, 1.0)],
)
def test_the_probability_of_so_many_failures(failed: int, requests: int, rate: float, probability: float) -> None:
    assert at_least(failed, requests, rate) == pytest.approx(probability, rel=1e-3)


@pytest.mark.parametrize(
    ("live", "canary", "distance"),
    [((1.0, 1.0), (2.0, 2.0), 0.0), ((1.0, 0.0), (0.0, 1.0), 1.0), ((0.0, 0.0), (0.0, 1.0), None)],
)
def test_the_distance_of_two_distributions(
    live: tuple[float, ...], canary: tuple[float, ...], distance: float | None
) -> None:
    assert shift(live, canary) == distance
