"""The list of versions that a process keeps: what is asked of the registry, and when it shows a change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from include.errors import UserError
from include.pipelines.models.versions import FRESH_SECONDS, OLDER_SECONDS, VersionList
from tests.support.models_page import ListedRegistry, made


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def registry(count: int) -> ListedRegistry:
    return ListedRegistry([made(number) for number in range(1, count + 1)])


def test_a_version_is_described_once(clock: Clock) -> None:
    reader, kept = registry(3), VersionList(clock)
    for _ in range(3):
        assert [version.number for version in kept.read(reader)] == [3, 2, 1]
        clock.now += FRESH_SECONDS + 1
    assert sorted(reader.described_arns) == ["arn:1", "arn:2", "arn:3"]
    assert reader.lists == [False, True, True], "the first time all pages, then the newest one"


def test_routes_of_one_load_share_a_listing(clock: Clock) -> None:
    reader, kept = registry(3), VersionList(clock)
    for _ in range(3):
        kept.read(reader)
    assert len(reader.lists) == 1


def test_a_new_version_and_a_changed_status_show_at_the_next_load(clock: Clock) -> None:
    reader, kept = registry(2), VersionList(clock)
    kept.read(reader)
    reader.packages = [made(3), replace(made(2, "Rejected"), description="rolled back"), made(1)]
    clock.now += FRESH_SECONDS + 1
    newest, second, _ = kept.read(reader)
    assert (newest.number, second.package.status, second.package.description) == (3, "Rejected", "rolled back")
    assert sorted(reader.described_arns) == ["arn:1", "arn:2", "arn:2", "arn:3"]


def test_the_older_pages_are_read_once_a_minute(clock: Clock) -> None:
    reader, kept = registry(250), VersionList(clock)
    assert len(kept.read(reader)) == 250
    reader.packages[0] = made(1, "Rejected")  # the oldest, on the third page
    clock.now += FRESH_SECONDS + 1
    assert kept.read(reader)[-1].package.status == "Approved"
    clock.now += OLDER_SECONDS
    assert kept.read(reader)[-1].package.status == "Rejected"
    assert reader.lists == [False, True, False] and len(reader.described_arns) == 251


def test_a_version_that_moves_to_the_second_page_stays(clock: Clock) -> None:
    reader, kept = registry(100), VersionList(clock)
    kept.read(reader)
    reader.packages.append(made(101))
    clock.now += FRESH_SECONDS + 1
    assert [version.number for version in kept.read(reader)] == [*range(101, 0, -1)]


def test_a_deleted_version_is_gone_within_a_minute(clock: Clock) -> None:
    reader, kept = registry(3), VersionList(clock)
    kept.read(reader)
    del reader.packages[0]
    clock.now += OLDER_SECONDS + 1
    assert [version.number for version in kept.read(reader)] == [3, 2]


def test_after_a_change_everything_is_listed_again(clock: Clock) -> None:
    reader, kept = registry(3), VersionList(clock)
    kept.read(reader)
    reader.packages[0] = made(1, "Rejected")
    kept.forget()
    assert kept.read(reader)[-1].package.status == "Rejected"


def test_one_version_is_described_again_when_it_is_looked_at(clock: Clock) -> None:
    reader, kept = registry(2), VersionList(clock)
    kept.read(reader)
    reader.packages[0] = replace(reader.packages[0], description="another reason")  # with the same status
    assert kept.read_again(reader, 1).package.description == "another reason"
    assert kept.read(reader)[-1].package.description == "another reason"


def test_an_unknown_number_names_the_newest_one(clock: Clock) -> None:
    with pytest.raises(UserError, match="no version 7; the newest is 2"):
        VersionList(clock).read_again(registry(2), 7)


def test_versions_that_were_created_by_hand_are_left_out(clock: Clock) -> None:
    reader, kept = registry(2), VersionList(clock)
    nothing: Any = {}
    reader.packages.append(replace(made(3), metadata=nothing))
    assert [version.number for version in kept.read(reader)] == [2, 1]
    clock.now += FRESH_SECONDS + 1
    kept.read(reader)
    assert reader.described_arns.count("arn:3") == 1
