"""Which version a deploy takes."""

from __future__ import annotations

from typing import Any

import pytest

from include.errors import UserError
from include.pipelines.deploy.choose import DeployRefusedError, choose, read_version
from tests.support.packages import PACKAGES, package

LIVE = {"version": 2, "previous": 1, "hold": False}


def chosen(requested: Any, live: dict[str, Any] = LIVE, **options: Any) -> int:
    return choose(PACKAGES, live, requested, **{"automatic": False, **options}).version


def refused(requested: Any, live: dict[str, Any] = LIVE, **options: Any) -> str:
    with pytest.raises(DeployRefusedError) as refusal:
        chosen(requested, live, **options)
    return str(refusal.value)


def test_latest_is_the_newest_approved_that_is_not_backfilled() -> None:
    assert chosen("latest") == 3
    assert chosen("latest", {}) == 3


def test_a_rejected_version_is_never_tried_again() -> None:
    assert "golden rows differ" in refused(5)
    assert "Rejected" in refused("previous", {"version": 3, "previous": 5})


def test_a_hold_stops_latest_until_it_is_released() -> None:
    held = {**LIVE, "hold": True}
    assert "hold" in refused("latest", held, automatic=True)
    assert "hold" in refused("latest", held)
    assert chosen("latest", held, release_hold=True) == 3
    assert chosen(3, held) == 3


def test_older_data_never_replaces_newer_but_for_previous() -> None:
    assert "older" in refused(1)
    assert chosen("previous") == 1


def test_an_automatic_run_does_not_deploy_what_is_live_and_a_person_may() -> None:
    live = {"version": 3, "previous": 2}
    assert "live already" in refused("latest", live, automatic=True)
    assert chosen(3, live) == 3


def test_a_missing_version_is_refused_with_what_exists() -> None:
    assert "Versions: 5, 4, 3, 2, 1" in refused(9)
    assert "no previous" in refused("previous", {})
    with pytest.raises(DeployRefusedError, match="no approved"):
        choose([], {}, "latest", automatic=True)
    pending = [package(1, "2013-03-01T00:00:00Z", "PendingManualApproval")]
    with pytest.raises(DeployRefusedError, match="Approve it"):
        choose(pending, {}, 1, automatic=False)


@pytest.mark.parametrize(
    ("given", "read"),
    [(None, "latest"), ("", "latest"), ("latest", "latest"), ("previous", "previous"), (3, 3), ("3", 3)],
)
def test_the_param(given: Any, read: Any) -> None:
    assert read_version(given) == read


@pytest.mark.parametrize("given", ["newest", "-1", 0, 1.5, True])
def test_a_wrong_param(given: Any) -> None:
    with pytest.raises(UserError, match="version"):
        read_version(given)
