"""Which images ECR keeps: the newest builds of each kind, counted apart from other kinds and from signatures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.delivery.images import IMAGES, Image
from infra.laptop.bootstrap.definitions import definition
from tests.support.ecr_lifecycle import Stored, expired

BUILDS, TAGGED_SIGNATURES = 200, 10_000
REPOSITORIES: dict[str, dict[str, Any]] = {one["name"]: one for one in definition("repositories").values()}
# cosign 3 stores a signature without a tag, as what refers to the image; cosign 2 gives it a tag of the image's digest.
SIGNATURES = ("cosign_2", "cosign_3")


def signed(image: Stored, signature: str) -> Iterator[Stored]:
    yield image
    if signature == "cosign_2":
        yield Stored(f"{image.name} signature", f"sha256-{image.name}.sig", image.day)
    else:
        yield Stored(f"{image.name} signature", None, image.day, subject=image.name)


def pushed(repository: str, days: range, signature: str) -> Iterator[Stored]:
    """What the releases of these days, one a day, have pushed to a repository."""
    for day in days:
        for image in IMAGES:
            if image.repository == repository:
                yield from signed(Stored(f"{image.name}-{day}", f"{day:040x}{image.tag_suffix}", day), signature)


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_the_newest_builds_of_each_kind_are_kept_with_their_signatures(image: Image, signature: str) -> None:
    builds = BUILDS + 100
    stored = list(pushed(image.repository, range(builds), signature))
    gone = expired(REPOSITORIES[image.repository]["rules"], stored, today=builds)
    kept = [day for day in range(builds) if f"{image.name}-{day}" not in gone]
    assert kept == list(range(builds - BUILDS, builds))
    assert not [day for day in kept if f"{image.name}-{day} signature" in gone]


@pytest.mark.parametrize("repository", REPOSITORIES)
@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_repository_does_not_grow_for_ever(repository: str, signature: str) -> None:
    kinds = sum(image.repository == repository for image in IMAGES)
    builds = TAGGED_SIGNATURES + 1_000
    stored = list(pushed(repository, range(builds), signature))
    kept = len(stored) - len(expired(REPOSITORIES[repository]["rules"], stored, today=builds))
    assert kept == kinds * BUILDS + (TAGGED_SIGNATURES if signature == "cosign_2" else kinds * BUILDS)


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_kind_that_is_built_no_more_keeps_its_signatures(signature: str) -> None:
    rules, builds = REPOSITORIES["nightjar/training"]["rules"], 4_000
    stored = [
        one for one in pushed("nightjar/training", range(builds), signature) if "gpu" not in one.name or one.day < 150
    ]
    gone = expired(rules, stored, today=builds)
    assert not [
        name for day in range(150) for name in (f"training-gpu-{day}", f"training-gpu-{day} signature") if name in gone
    ]


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_signatures_that_repeated_pushes_add_take_the_place_of_no_other(repository: str) -> None:
    stored = list(pushed(repository, range(BUILDS), "cosign_3"))
    again = [Stored(f"{one.name} {n}", None, one.day, one.subject) for n in range(9) for one in stored if one.subject]
    assert expired(REPOSITORIES[repository]["rules"], stored + again, today=BUILDS) == set()


@pytest.mark.parametrize("repository", REPOSITORIES)
@pytest.mark.parametrize("signature", SIGNATURES)
def test_images_of_earlier_tags_go_and_not_before_as_many_builds_are_newer(repository: str, signature: str) -> None:
    """Tags were the build alone."""
    days = range(50)
    earlier = [one for day in days for one in signed(Stored(f"earlier-{day}", f"{day:040x}", day), signature)]

    def kept(builds: int) -> list[int]:
        stored = [*earlier, *pushed(repository, range(len(days), builds), signature)]
        gone = expired(REPOSITORIES[repository]["rules"], stored, today=builds)
        return [day for day in days if f"earlier-{day}" not in gone]

    assert kept(BUILDS) == [*days] and kept(BUILDS + 49)[-1:] == [49]
    assert kept(2 * BUILDS + len(days)) == []


def test_every_image_has_a_repository_and_its_tags_differ_by_their_end() -> None:
    assert {image.repository for image in IMAGES} == set(REPOSITORIES)
    ends = [(image.repository, image.tag_suffix) for image in IMAGES]
    assert all(end for _, end in ends) and len(set(ends)) == len(ends)
