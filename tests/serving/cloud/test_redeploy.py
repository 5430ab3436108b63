"""While versions change, callers see nothing but the version."""

from __future__ import annotations

import pytest

from tests.support.texts_service import TextsService

pytestmark = pytest.mark.stack


def test_a_redeploy_and_its_rollback_under_load_fail_no_request(version_1: TextsService):
    with version_1.load("1", "2") as load:
        load.turn()
        at_start = load.mark()
        rollout = version_1.deploy("2")
        deployed = load.mark()
        load.turn()
        back_from = load.mark()
        rollback = version_1.deploy("1")
        rolled_back = load.mark()
        load.turn()
    assert load.failures == []
    assert rollout["status"] == rollback["status"] == "SUCCESSFUL"
    assert set(load.counts(since=at_start) - load.counts(since=deployed)) == {"1", "2"}, (
        "both versions answered in between"
    )
    assert set(load.counts(since=deployed) - load.counts(since=back_from)) == {"2"}, (
        "after SUCCESSFUL no other version answers"
    )
    assert set(load.counts(since=back_from) - load.counts(since=rolled_back)) == {"1", "2"}
    assert set(load.counts(since=rolled_back)) == {"1"}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("unreadable", "model.joblib cannot be unpickled"),
        ("altered", f"but {'0' * 64} was requested; nothing was loaded"),
    ],
)
def test_a_corrupted_bundle_is_rolled_back_and_the_old_version_answers(
    version_1: TextsService, broken: str, reason: str
):
    with version_1.load("1") as load:
        rollout = version_1.deploy(broken)
        load.turn()
    assert load.failures == [] and load.counts()["1"] > 0
    assert rollout["status"] == "ROLLBACK_SUCCESSFUL" and "circuit breaker" in rollout["statusReason"]
    assert version_1.logged(reason)
