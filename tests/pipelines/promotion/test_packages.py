"""Metadata of a version, its champion, the versions that were live."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from include.lake.instants import parse_instant
from include.pipelines.promotion.packages import (
    METADATA,
    MetadataError,
    approval_description,
    decimal_text,
    find_champion,
    flag_text,
    is_overtaken,
    live_history,
    metadata_texts,
    read_packages,
)
from tests.support.packages import PACKAGES, described, metadata_of, package


def test_metadata_is_what_sagemaker_takes() -> None:
    assert metadata_texts(metadata_of()) == dict.fromkeys(METADATA, "x")
    assert len(METADATA) <= 50  # SageMaker's limit
    with pytest.raises(MetadataError, match="image has 257"):
        metadata_texts(metadata_of(image="x" * 257))
    with pytest.raises(MetadataError, match="day has 0"):
        metadata_texts(metadata_of(day=""))


def test_the_texts_of_numbers_and_flags() -> None:
    assert (decimal_text(0.7), decimal_text(-1e-7)) == ("0.700000", "-0.000000")
    assert decimal_text(None) == "none"  # the interval's bounds are null when a resample has one class only
    assert (flag_text(True), flag_text(False)) == ("true", "false")
    assert package(1, "x", backfilled=True).backfilled
    assert not package(1, "x").backfilled


def test_a_description_is_cut() -> None:
    assert approval_description(["a.", "b."]) == "a. b."
    assert len(approval_description(["x" * 2000])) == 1024


def test_versions_made_by_hand_are_left_out() -> None:
    by_hand = {**described(package(1, "x")), "CustomerMetadataProperties": {"workload": "x"}}
    without = {key: value for key, value in by_hand.items() if key != "CustomerMetadataProperties"}
    assert [found.version for found in read_packages([by_hand, without, described(package(2, "x"))])] == [2]


def test_versions_are_read_newest_first() -> None:
    assert read_packages([described(PACKAGES[4]), described(PACKAGES[2])])[0].version == 3


def test_the_champion_is_live_and_that_of_a_backfilled_candidate_the_newest_older_one() -> None:
    def champion(live: int | None, cutoff: str, backfilled: bool) -> int | None:
        found = find_champion(PACKAGES, live, parse_instant(f"{cutoff}T00:00:00Z"), backfilled=backfilled)
        return found.version if found else None

    assert champion(2, "2013-03-03", backfilled=False) == 2
    assert champion(None, "2013-03-03", backfilled=False) is None
    assert champion(3, "2013-03-03", backfilled=True) == 2
    assert champion(3, "2013-03-02", backfilled=True) == 4
    assert champion(3, "2013-03-01", backfilled=True) is None


def test_a_cutoff_is_overtaken_by_a_later_approved_one_only() -> None:
    second, third = datetime(2013, 3, 2, tzinfo=UTC), datetime(2013, 3, 3, tzinfo=UTC)
    assert is_overtaken(PACKAGES, second)
    assert not is_overtaken(PACKAGES, third)
    assert not is_overtaken([package(1, "2013-03-09T00:00:00Z", "Rejected")], third)
    assert not is_overtaken([package(1, "2013-03-09T00:00:00Z", backfilled=True)], third), "it is never live"


def test_cutoffs_compare_as_instants_whichever_text_they_were_stored_as() -> None:
    short, fixed = package(1, "2013-03-01T00:00:00Z"), package(2, "2013-03-01T00:00:00.000000Z")
    assert not is_overtaken([short, fixed], fixed.cutoff)
    assert find_champion([short, fixed], None, fixed.cutoff, backfilled=True) is None


def test_live_history_keeps_its_order() -> None:
    assert live_history(PACKAGES, [3, 9, 1]) == [
        {"version": 3, "champion": "x", "auc_difference": "x"},
        {"version": 1, "champion": "x", "auc_difference": "x"},
    ]
