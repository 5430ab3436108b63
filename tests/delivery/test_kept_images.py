"""Which images ECR keeps: the newest builds of each kind, counted apart from other kinds and from signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.delivery.images import IMAGES, Image
from infra.laptop.bootstrap.definitions import definition
from tests.support.ecr_lifecycle import Stored, expired

BUILDS = 200
REPOSITORIES: dict[str, dict[str, Any]] = {one["name"]: one for one in definition("repositories").values()}
# cosign 3 stores a signature without a tag, as what refers to the image; cosign 2 gives it a tag of the image's digest.
SIGNATURES: dict[str, Callable[[str], str | None]] = {
    "cosign_2": lambda name: f"sha256-{name}.sig",
    "cosign_3": lambda name: None,
}


def pushed(repository: str, builds: int, signature_tag: Callable[[str], str | None]) -> Iterator[Stored]:
    """What so many releases have pushed to a repository, one a day."""
    for day in range(builds):
        for image in IMAGES:
            if image.repository == repository:
                name = f"{image.name}-{day}"
                yield Stored(name, f"{day:040x}{image.tag_suffix}", day)
                yield Stored(f"{name} signature", signature_tag(name), day)


@pytest.mark.parametrize("signature", SIGNATURES)
@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
def test_the_newest_builds_of_each_kind_are_kept_with_their_signatures(image: Image, signature: str) -> None:
    builds = BUILDS + 100
    stored = list(pushed(image.repository, builds, SIGNATURES[signature]))
    gone = expired(REPOSITORIES[image.repository]["rules"], stored, today=builds)
    kept = [day for day in range(builds) if f"{image.name}-{day}" not in gone]
    assert kept == list(range(builds - BUILDS, builds))
    assert not [day for day in kept if f"{image.name}-{day} signature" in gone]


@pytest.mark.parametrize("repository", REPOSITORIES)
@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_repository_does_not_grow_for_ever(repository: str, signature: str) -> None:
    stored = list(pushed(repository, 3_000, SIGNATURES[signature]))
    assert len(stored) - len(expired(REPOSITORIES[repository]["rules"], stored, today=3_000)) <= 3 * 1_000


def test_every_image_has_a_repository_and_its_tags_differ_by_their_end() -> None:
    assert {image.repository for image in IMAGES} == set(REPOSITORIES)
    ends = [(image.repository, image.tag_suffix) for image in IMAGES]
    assert all(end for _, end in ends) and len(set(ends)) == len(ends)
