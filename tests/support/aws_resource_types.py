"""How a type of resource is handled through AWS's API: the forms of the data in ``aws_resources.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Call = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Tagging:
    """How a service tags.

    Attributes:
        member: The request's member for the ARN.
        put, get, remove: The operations.
        tags, listed, keys: The members with the tags to put, the listed tags, and the keys to remove.
        mapping: Whether the tags are a mapping, not a list of Key and Value.
        given_as_mapping: Whether they are put as a mapping, although they are listed as a list.
    """

    member: str = "ResourceARN"
    put: str = "tag_resource"
    get: str = "list_tags_for_resource"
    remove: str = "untag_resource"
    tags: str = "Tags"
    listed: str = "Tags"
    keys: str = "TagKeys"
    mapping: bool = False
    given_as_mapping: bool = False

    def form(self, tags: Mapping[str, str]) -> Any:
        return (
            dict(tags)
            if self.mapping or self.given_as_mapping
            else [{"Key": key, "Value": value} for key, value in tags.items()]
        )

    def read(self, listed: Any) -> dict[str, str]:
        return dict(listed) if self.mapping else {tag["Key"]: tag["Value"] for tag in listed}


@dataclass(frozen=True)
class Resource:
    """A type of resource, and how it is handled.

    Attributes:
        service: boto3's name.
        create, describe, update, delete: The operation and its members.
        found: Where the resource is in the answer of ``describe``.
        given: What must be described after ``create``.
        updated: What must be described after ``update``.
        absent: Members that were not given, and that must not be described.
        arn: The resource's ARN: the name of its member in the description, or a function of the description.
        tagging: How it is tagged; None if it has no tags.
        create_tags: The member of ``create`` with tags; None if tags are only put later.
        gone: The error of ``describe`` after ``delete``; None if ``found`` is then empty.
    """

    service: str
    create: Call
    describe: Call
    found: tuple[str | int, ...]
    given: Mapping[str, Any]
    delete: Call
    update: Call | None = None
    updated: Mapping[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    arn: str | Callable[[Any], str] = "ARN"
    tagging: Tagging | None = None
    create_tags: str | None = "Tags"
    gone: str | None = None
    before: tuple[tuple[str, str, Mapping[str, Any]], ...] = ()
    after: tuple[tuple[str, str, Mapping[str, Any]], ...] = ()
