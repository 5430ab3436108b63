"""Which version a deploy takes."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import NothingToDoError
from include.pipelines.deploy.choose import Choice, DeployRefusedError, choose
from include.pipelines.deploy.live import NOTHING_LIVE, LivePointer
from tests.support.packages import PACKAGES, package

LIVE: LivePointer = {**NOTHING_LIVE, "version": 2, "previous": 1, "history": [2, 1], "revision": 4}


def chosen(requested: Any, live: LivePointer = LIVE, **options: Any) -> int:
    return choose(PACKAGES, live, requested, **{"automatic": False, **options}).package.version


def refused(requested: Any, live: LivePointer = LIVE, **options: Any) -> str:
    with pytest.raises(DeployRefusedError) as refusal:
        chosen(requested, live, **options)
    return str(refusal.value)


def test_latest_is_the_newest_approved_that_is_not_backfilled() -> None:
    assert chosen("latest") == 3
    assert chosen("latest", NOTHING_LIVE) == 3


def test_a_rejected_version_is_never_tried_again() -> None:
    assert "golden rows differ" in refused(5)
    assert chosen("previous", {**LIVE, "version": 3, "history": [3, 5, 1]}) == 1


def test_a_hold_stops_latest_until_it_is_released() -> None:
    held: LivePointer = {**LIVE, "hold": True}
    assert "hold" in refused("latest", held, automatic=True)
    assert "hold" in refused("latest", held)
    assert chosen("latest", held, release_hold=True) == 3
    assert chosen(3, held) == 3


def test_live_is_the_live_version_whatever_its_approval_and_keeps_the_hold() -> None:
    live: LivePointer = {**LIVE, "version": 5, "history": [5, 2], "hold": True}
    assert choose(PACKAGES, live, "live", automatic=False) == Choice(PACKAGES[0], "deploy")
    with pytest.raises(NothingToDoError, match="none to deploy again"):
        choose(PACKAGES, NOTHING_LIVE, "live", automatic=False)


def test_older_data_never_replaces_newer_but_for_previous() -> None:
    assert "older" in refused(1)
    assert chosen("previous") == 1


def test_an_automatic_run_does_not_deploy_what_is_live_and_a_person_may() -> None:
    live: LivePointer = {**LIVE, "version": 3, "history": [3, 2]}
    assert "live already" in refused("latest", live, automatic=True)
    assert chosen(3, live) == 3


def test_a_missing_version_is_refused_with_what_exists() -> None:
    assert "Versions: 5, 4, 3, 2, 1" in refused(9)
    assert "no previous" in refused("previous", NOTHING_LIVE)
    with pytest.raises(DeployRefusedError, match="no approved"):
        choose([], NOTHING_LIVE, "latest", automatic=True)
    pending = [package(1, "2013-03-01T00:00:00Z", "PendingManualApproval")]
    with pytest.raises(DeployRefusedError, match="Approve it"):
        choose(pending, NOTHING_LIVE, 1, automatic=False)


def after_a_rollback(rolled_back: int, to: int, *history: int) -> LivePointer:
    return {**LIVE, "version": to, "history": [to, *history], "hold": True, "rolled_back": {str(rolled_back): "run-7"}}


def test_previous_again_goes_a_second_step_back_and_never_to_what_was_rolled_back() -> None:
    live = after_a_rollback(3, 2, 1)
    assert choose(PACKAGES, live, "previous", automatic=False) == Choice(PACKAGES[-1], "rollback")
    assert "no previous" in refused("previous", after_a_rollback(2, 1))


def test_what_was_rolled_back_is_not_the_newest_even_while_the_registry_has_it_approved() -> None:
    assert chosen("latest", after_a_rollback(3, 2), release_hold=True) == 2


def test_a_person_goes_with_a_reason_to_any_version_that_was_once_verified_live() -> None:
    live = after_a_rollback(3, 2, 1)
    assert "with a reason" in refused(1, live)
    assert choose(PACKAGES, live, 1, automatic=False, reason="2 is slow").kind == "rollback"
    assert "run-7" in refused(3, live) and "with a reason" in refused(3, live)
    assert choose(PACKAGES, live, 3, automatic=False, reason="mended elsewhere").kind == "deploy"
    was_live: LivePointer = {**LIVE, "history": [2, 5]}
    assert chosen(5, was_live, reason="was rejected by mistake") == 5
    assert "Rejected" in refused(5, LIVE, reason="it was never live")
    assert "older" in refused(1, {**LIVE, "history": [2]}, reason="it was never live")


def test_a_live_version_that_the_registry_lost_stops_automatic_deploys() -> None:
    live: LivePointer = {**LIVE, "version": 9, "history": [9]}
    assert "no version 9" in refused("latest", live, automatic=True)
    assert chosen(3, live) == 3


def test_a_bundle_outside_s3_is_never_deployed() -> None:
    local = package(6, "2013-03-05T00:00:00Z")
    local.metadata["bundle_uri"] = "file:///home/me/bundle.tar.gz"
    with pytest.raises(DeployRefusedError, match="Only bundles in S3"):
        choose([local, *PACKAGES], LIVE, "latest", automatic=False)
    with pytest.raises(DeployRefusedError, match="Only bundles in S3"):
        choose([local, *PACKAGES], LIVE, 6, automatic=False)
