"""Which images ECR's lifecycle rules delete, as its documentation says.

A rule looks at all images, also at those that another rule deletes. What matches a rule's tags is never deleted by a
rule after it. A count is of the newest, and signatures count like images. What refers to an image is deleted with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Stored:
    """One image, or signature, of a repository.

    Attributes:
        name: What it is, for the test.
        tag: Its tag; None where it has none.
        day: When it was pushed.
        subject: The name of the image that it refers to, as the specification of OCI 1.1 has it.
    """

    name: str
    tag: str | None
    day: int
    subject: str | None = None


def expired(rules: Sequence[dict[str, Any]], images: Iterable[Stored], today: int) -> set[str]:
    """Returns the names of what is deleted."""
    found, claimed = set[str](), set[str]()
    images = list(images)
    newest_first = sorted(images, key=lambda image: image.day, reverse=True)
    for rule in sorted(rules, key=lambda rule: int(rule["rulePriority"])):
        selection = rule["selection"]
        seen = [image for image in newest_first if matches(selection, image)]
        if selection["countType"] == "imageCountMoreThan":
            old = seen[selection["countNumber"] :]
        else:
            old = [image for image in seen if today - image.day > selection["countNumber"]]
        found |= {image.name for image in old if image.name not in claimed}
        claimed |= {image.name for image in seen}
    return found | {image.name for image in images if image.subject in found}


def matches(selection: dict[str, Any], image: Stored) -> bool:
    """Whether a rule is for the image."""
    match selection["tagStatus"]:
        case "any":
            return True
        case "untagged":
            return image.tag is None
    return image.tag is not None and all(fnmatchcase(image.tag, pattern) for pattern in selection["tagPatternList"])
