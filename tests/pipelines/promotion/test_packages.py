"""Metadata of a version, its champion, its price."""

from __future__ import annotations

import pytest

from include.pipelines.promotion.packages import (
    METADATA,
    approval_description,
    champion,
    live_history,
    metadata,
    overtaken,
    read_packages,
)
from include.pipelines.retrain.cost import cost_usd
from tests.support.packages import PACKAGES, package


def test_metadata_is_complete_short_and_text() -> None:
    values = dict.fromkeys(METADATA, "x")
    assert metadata(**values | {"backfilled": True})["backfilled"] == "true"
    with pytest.raises(ValueError, match="auc_low"):
        metadata(**{name: "x" for name in METADATA - {"auc_low"}})
    with pytest.raises(ValueError, match="colour"):
        metadata(**values, colour="red")
    with pytest.raises(ValueError, match="image has 257"):
        metadata(**values | {"image": "x" * 257})
    with pytest.raises(ValueError, match="day has 0"):
        metadata(**values | {"day": ""})


def test_a_description_is_cut() -> None:
    assert approval_description(["a.", "b."]) == "a. b."
    assert len(approval_description(["x" * 2000])) == 1024


def test_versions_made_by_hand_are_left_out() -> None:
    answer = {"ModelPackageVersion": 1, "ModelPackageArn": "arn", "ModelApprovalStatus": "Approved"}
    ours = {**answer, "ModelPackageVersion": 2, "CustomerMetadataProperties": dict.fromkeys(METADATA, "x")}
    assert [found.version for found in read_packages([answer, ours])] == [2]


def test_the_champion_is_live_and_in_a_backfilled_night_the_newest_older_one() -> None:
    night = "2013-03-03T00:00:00Z"
    assert champion(PACKAGES, 2, night, backfilled=False).version == 2
    assert champion(PACKAGES, None, night, backfilled=False) is None
    assert champion(PACKAGES, 3, night, backfilled=True).version == 2
    assert champion(PACKAGES, 3, "2013-03-02T00:00:00Z", backfilled=True).version == 4
    assert champion(PACKAGES, 3, "2013-03-01T00:00:00Z", backfilled=True) is None


def test_a_night_is_overtaken_by_a_later_approved_cutoff_only() -> None:
    assert overtaken(PACKAGES, "2013-03-02T00:00:00Z")
    assert not overtaken(PACKAGES, "2013-03-03T00:00:00Z")
    assert not overtaken([package(1, "2013-03-09T00:00:00Z", "Rejected")], "2013-03-03T00:00:00Z")


def test_live_history_keeps_its_order() -> None:
    assert live_history(PACKAGES, [3, 9, 1]) == [
        {"version": 3, "champion": "x", "auc_difference": "x"},
        {"version": 1, "champion": "x", "auc_difference": "x"},
    ]


def test_cost() -> None:
    assert cost_usd([("ml.m5.xlarge", 3600), ("ml.m5.xlarge", 1800)], [10**12, 0]) == "5.3451"
    assert cost_usd([("ml.unheard", 1)], []) == "unknown"
