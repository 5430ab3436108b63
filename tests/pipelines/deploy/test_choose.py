"""Which version a deploy takes."""

from __future__ import annotations

from typing import Any

import pytest

from include.pipelines.deploy.choose import DeployRefusedError, choose
from include.pipelines.deploy.live import NOTHING_LIVE, LivePointer
from tests.support.packages import PACKAGES, package

LIVE: LivePointer = {**NOTHING_LIVE, "version": 2, "previous": 1}


def chosen(requested: Any, live: LivePointer = LIVE, **options: Any) -> int:
    return choose(PACKAGES, live, requested, **{"automatic": False, **options}).version


def refused(requested: Any, live: LivePointer = LIVE, **options: Any) -> str:
    with pytest.raises(DeployRefusedError) as refusal:
        chosen(requested, live, **options)
    return str(refusal.value)


def test_latest_is_the_newest_approved_that_is_not_backfilled() -> None:
    assert chosen("latest") == 3
    assert chosen("latest", NOTHING_LIVE) == 3


def test_a_rejected_version_is_never_tried_again() -> None:
    assert "golden rows differ" in refused(5)
    assert "Rejected" in refused("previous", {**LIVE, "version": 3, "previous": 5})


def test_a_hold_stops_latest_until_it_is_released() -> None:
    held: LivePointer = {**LIVE, "hold": True}
    assert "hold" in refused("latest", held, automatic=True)
    assert "hold" in refused("latest", held)
    assert chosen("latest", held, release_hold=True) == 3
    assert chosen(3, held) == 3


def test_older_data_never_replaces_newer_but_for_previous() -> None:
    assert "older" in refused(1)
    assert chosen("previous") == 1


def test_an_automatic_run_does_not_deploy_what_is_live_and_a_person_may() -> None:
    live: LivePointer = {**LIVE, "version": 3, "previous": 2}
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
