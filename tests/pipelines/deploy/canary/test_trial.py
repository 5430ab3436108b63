"""A canary run, step by step: it begins where there is something to compare with, and all requests come back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from include.errors import NothingToDoError
from include.pipelines.deploy import SupersededError, VerificationError, VersionFaultError
from include.pipelines.deploy.canary import Trial
from include.pipelines.deploy.ended import end_by_person
from include.pipelines.deploy.live import NOTHING_LIVE, LivePointer, abandoned, begun, went_live
from include.pipelines.deploy.live_log import append, newest_entry
from tests.support.canaries import SPEC, CanaryInMemory
from tests.support.deploy_runs import StateInMemory

TARGET: Any = {"version": 2, "live_version": 1}
SAME: Any = {"version": 1, "live_version": 1}
BELL, FLAT = [0.0, 10.0, 40.0, 50.0, 50.0, 50.0, 50.0, 40.0, 10.0, 0.0], [30.0] * 10


def intend(state: Any, run_id: str, kind: Any = "deploy", pointer: LivePointer | None = None) -> LivePointer:
    """Records that a run is about to deploy version 2."""
    if pointer is None:
        first = append("flights", begun(NOTHING_LIVE, **asked("first", "deploy", 1)), state)
        live = went_live(first, version=1, bundle_digest="d1", task_definition="t1", image="app:1")
        pointer = append("flights", live, state)
    return append("flights", begun(pointer, **asked(run_id, kind, 2)), state)


def asked(run_id: str, kind: Any, version: int) -> dict[str, Any]:
    return {"run_id": run_id, "kind": kind, "version": version, "release_hold": False, "reason": None}


@pytest.fixture
def state() -> StateInMemory:
    return StateInMemory()


@pytest.fixture
def made(state: Any) -> CanaryInMemory:
    """A canary whose run is the newest deploy."""
    intend(state, "run")
    beside = CanaryInMemory(state)
    beside.service.desired = 1
    return beside


def begin(made: CanaryInMemory, target: Any = TARGET) -> Trial:
    made.service.desired = 1
    trial = made.canary.share_traffic(target, "run")
    made.passes(minutes=5)
    return trial


def decided(made: CanaryInMemory, trial: Trial) -> tuple[str, bool]:
    made.passes(minutes=30)
    verdict = made.canary.compare(trial, "run")
    assert verdict is not None
    assert (made.weights.share(), made.service.desired) == (0, 0)
    return verdict["outcome"], verdict["fault"]


def test_it_is_compared_from_the_next_whole_minute_on_for_its_minutes(made: CanaryInMemory) -> None:
    trial = made.canary.share_traffic(TARGET, "run")
    assert (trial["start"], trial["end"]) == ("2026-11-29T12:01:00.000000Z", "2026-11-29T12:11:00.000000Z")
    assert made.weights.shares == [0.0, SPEC.share]


def test_while_nothing_is_wrong_it_keeps_its_share_until_the_end(made: CanaryInMemory) -> None:
    trial = made.canary.share_traffic(TARGET, "run")
    for _ in range(10):
        assert made.canary.compare(trial, "run") is None
        assert made.weights.share() == SPEC.share
        made.passes(minutes=1)
    made.passes(seconds=30)
    assert made.canary.compare(trial, "run") is None  # the last metrics may still change
    assert made.weights.share() == 0
    made.passes(minutes=2)
    verdict = made.canary.compare(trial, "run")
    assert verdict is not None and verdict["outcome"] == "promote"
    start, end, _ = made.metrics.asked[-3]
    assert end - start == timedelta(minutes=10)


def test_a_good_one_is_promoted(made: CanaryInMemory) -> None:
    made.metrics.scores = {"1": BELL, "2": BELL}
    assert decided(made, begin(made)) == ("promote", False)


@pytest.mark.parametrize("failure", ["failed", "unreachable"])
def test_one_that_fails_goes_back_before_the_end(made: CanaryInMemory, failure: str) -> None:
    trial = begin(made)
    made.metrics.minute["canary"][failure] = 30.0
    verdict = made.canary.compare(trial, "run")
    assert verdict is not None and (verdict["outcome"], verdict["fault"]) == ("roll_back", True)
    assert (made.weights.share(), made.service.desired) == (0, 0)


@pytest.mark.parametrize("over", [False, True], ids=["early", "at_the_end"])
def test_one_that_answers_nothing_goes_back(made: CanaryInMemory, over: bool) -> None:
    """The load balancer counts connections, and tries some requests on several."""
    made.metrics.minute["canary"] |= {"requests": 38.0, "unreachable": 40.0}
    trial = begin(made)
    if over:
        assert decided(made, trial) == ("roll_back", True)
    else:
        verdict = made.canary.compare(trial, "run")
        assert verdict is not None and (verdict["outcome"], verdict["fault"]) == ("roll_back", True)
        assert "requests failed (100.00%)" in verdict["reasons"][0]


def test_a_slow_one_goes_back(made: CanaryInMemory) -> None:
    made.metrics.minute["canary"]["p95"] = 0.2
    assert decided(made, begin(made)) == ("roll_back", True)


def test_one_that_scores_otherwise_goes_back_unless_only_the_image_is_new(made: CanaryInMemory) -> None:
    made.metrics.scores = {"1": BELL, "2": [300.0, *[0.0] * 9]}
    assert decided(made, begin(made)) == ("roll_back", True)
    assert decided(made, begin(made, SAME)) == ("promote", False)


def test_without_traffic_the_rule_decides(state: Any) -> None:
    intend(state, "run")
    for rule in ("roll_back", "promote"):
        made = CanaryInMemory(state, SPEC.model_copy(update={"too_few": rule}))
        made.metrics.minute["canary"]["requests"] = 1.0
        assert decided(made, begin(made)) == (rule, False)


def test_a_verdict_becomes_a_note_or_a_failure_with_the_fault() -> None:
    canary = CanaryInMemory(StateInMemory()).canary
    promoted = canary.accept({"outcome": "promote", "fault": False, "reasons": ["As good."]})
    assert promoted == "The canary is promoted. As good."
    with pytest.raises(VersionFaultError, match=r"rolled back.*Slower\."):
        canary.accept({"outcome": "roll_back", "fault": True, "reasons": ["Slower."]})
    assert canary.fault == ("version_fault", VersionFaultError)
    with pytest.raises(VerificationError, match=r"Too little\.") as blameless:
        canary.accept({"outcome": "roll_back", "fault": False, "reasons": ["Too little."]})
    assert not isinstance(blameless.value, VersionFaultError)


@pytest.mark.parametrize("kind", ["rollback", "repair", "restore"])
def test_who_goes_back_does_not_wait_for_a_canary(state: Any, kind: str) -> None:
    intend(state, "run", kind)
    with pytest.raises(NothingToDoError, match=kind):
        CanaryInMemory(state).canary.check_begin("run")


def test_the_first_version_has_none_to_be_compared_with(state: Any) -> None:
    intend(state, "run", pointer=NOTHING_LIVE)
    with pytest.raises(NothingToDoError, match="none to compare"):
        CanaryInMemory(state).canary.check_begin("run")


def test_a_run_that_a_newer_one_overtook_changes_nothing(made: CanaryInMemory, state: Any) -> None:
    made.canary.check_begin("run")
    trial = begin(made)
    pointer: Any = state.items["live#flights", "pointer"]
    newer = {name: value for name, value in pointer.items() if name != "digest"}
    intend(state, "newer", pointer=newer)  # type: ignore[arg-type]
    for step in (
        lambda: made.canary.check_begin("run"),
        lambda: made.canary.share_traffic(TARGET, "run"),
        lambda: made.canary.compare(trial, "run"),
    ):
        with pytest.raises(SupersededError, match="newer"):
            step()
    with pytest.raises(NothingToDoError, match="newer"):
        made.canary.end("run")
    assert made.weights.share() == SPEC.share  # now the newer run's


def test_the_end_comes_after_a_failure_too_and_twice(made: CanaryInMemory, state: Any) -> None:
    begin(made)
    pointer: Any = state.items["live#flights", "pointer"]
    entry = {name: value for name, value in pointer.items() if name != "digest"}
    append("flights", abandoned(entry), state)  # type: ignore[arg-type]
    for _ in range(2):
        made.canary.end("run")
        assert (made.weights.share(), made.service.desired) == (0, 0)
    assert made.weights.shares == [0.0, SPEC.share, 0]


@pytest.mark.parametrize(("desired", "rollout"), [(0, "COMPLETED"), (2, "IN_PROGRESS")], ids=["ended", "not_all_run"])
def test_without_all_its_tasks_it_gets_no_request(made: CanaryInMemory, desired: int, rollout: str) -> None:
    made.service.desired, made.service.state = desired, rollout
    with pytest.raises(VerificationError, match=rf"0 running tasks of {desired}.*trigger a new run"):
        made.canary.share_traffic(TARGET, "run")
    assert made.weights.shares == [0.0]


def test_a_share_given_while_its_tasks_are_stopped_is_taken_back(made: CanaryInMemory) -> None:
    made.weights.meanwhile = made.service.stop_all
    with pytest.raises(VerificationError, match="0 running tasks of 0"):
        made.canary.share_traffic(TARGET, "run")
    assert made.weights.shares == [0.0, SPEC.share, 0]


def test_the_end_takes_a_share_back_that_was_given_before_the_tasks_were_stopped(made: CanaryInMemory) -> None:
    """Else nobody does: who gave it saw the tasks run."""

    def share(change: str) -> None:
        if change == "stop_all":
            made.canary.share_traffic(TARGET, "run")

    made.service.before = share
    made.canary.end("run")
    assert (made.weights.shares, made.service.desired) == ([0.0, SPEC.share, 0], 0)


def test_after_a_persons_roll_back_its_run_ends_and_the_canary_gets_no_requests(
    made: CanaryInMemory, state: Any
) -> None:
    trial = begin(made)
    assert made.weights.share() == SPEC.share
    end_by_person("flights", newest_entry("flights", state), "ann", "too many complaints", state)
    with pytest.raises(SupersededError, match="rolled back by ann: too many complaints"):
        made.canary.compare(trial, "run")
    made.canary.end("run")  # as the teardown task of the failed run does
    assert (made.weights.share(), made.service.desired) == (0, 0)
