"""The tags that a request gives, in the forms in which services take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

_TAG_MEMBERS = ("Tags", "tags", "Tag", "TagList", "JobTags", "TagsToAdd")
_KEY_MEMBERS = ("TagKeys", "tagKeys", "TagKeyList", "TagsToRemove")


def given(members: Mapping[str, Any], tagging_header: str) -> tuple[dict[str, str], list[str]]:
    """The tags and the tag keys of a request.

    Args:
        members: The members of the request.
        tagging_header: S3's header x-amz-tagging; may be empty.
    """
    tags = dict(parse_qsl(tagging_header, keep_blank_values=True))
    for member in _TAG_MEMBERS:
        tags |= _tags(members.get(member))
    keys = [key for member in _KEY_MEMBERS for key in _keys(members.get(member))]
    return tags, [*tags, *keys]


def _tags(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(key): str(text) for key, text in value.items()}
    found = {}
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            lowered = {name.lower(): text for name, text in item.items()}
            key = lowered.get("key", lowered.get("tagkey"))
            if key is not None:
                found[str(key)] = str(lowered.get("value", lowered.get("tagvalue", "")))
    return found


def _keys(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
