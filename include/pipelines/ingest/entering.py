"""What gets into raw beside the stream (dropped files, requeued records) has its markers before the watermark moves on.

Such a batch is read at the stream's watermark, which a run of the stream may move meanwhile: a data set up to the new
one would be built without the batch, and have it when it is built again. So the watermark's own item names each raw
object whose markers are being put, and only while the watermark is the one at which the object was read. Who moves the
watermark first puts the markers of the objects that are named, and then moves it only if no other was named since. No
part waits for another, and a run that dies in between holds nobody up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from include.lake.instants import format_instant
from include.pipelines.protocols import StateStore

WATERMARK, ENTERING = "watermark", "entering"
ItemKey = tuple[str, str]


def name_entering(key: ItemKey, raw_key: str, source: str, watermark: datetime | None, state: StateStore) -> bool:
    """Names a raw object whose markers are about to be put.

    Args:
        key: The item of the stream's watermark.
        raw_key: The object.
        source: The source that it is of.
        watermark: The watermark at which it was read.
        state: The state table.

    Returns:
        Whether it may get its markers; no, if the watermark has moved: then it must be read again.
    """
    while True:
        item = state.get(*key) or {}
        if item.get(WATERMARK) != (format_instant(watermark) if watermark else None):
            return False
        entering = item.get(ENTERING, {})
        if raw_key in entering or _swap(key, item, {**item, ENTERING: {**entering, raw_key: source}}, state):
            return True


def has_entered(key: ItemKey, raw_key: str, state: StateStore) -> None:
    """Takes the name of an object away, which has its markers."""
    while True:
        item = state.get(*key) or {}
        entering = {name: source for name, source in item.get(ENTERING, {}).items() if name != raw_key}
        kept = {name: value for name, value in item.items() if name != ENTERING}
        if raw_key not in item.get(ENTERING, {}) or _swap(
            key, item, {**kept, ENTERING: entering} if entering else kept, state
        ):
            return


def move_watermark(key: ItemKey, watermark: str, put_markers: Callable[[str, str], None], state: StateStore) -> bool:
    """Moves a stream's watermark forward, after the markers of all objects that are entering.

    Args:
        key: The watermark's item.
        watermark: The new one.
        put_markers: Puts the markers of a raw object, given its key and its source. They may exist already.
        state: The state table.

    Returns:
        Whether it was moved: it never moves back.
    """
    while True:
        item = state.get(*key) or {}
        if (item.get(WATERMARK) or "") > watermark:
            return False
        for raw_key, source in item.get(ENTERING, {}).items():
            put_markers(raw_key, source)
        if _swap(key, item, {WATERMARK: watermark}, state):
            return True


def _swap(key: ItemKey, old: Mapping[str, Any], new: Mapping[str, Any], state: StateStore) -> bool:
    """Replaces the item, if it is still the old one."""
    conditions = [f"#{name} = :{name}" if name in old else f"attribute_not_exists(#{name})" for name in _ATTRIBUTES]
    values = {f":{name}": old[name] for name in _ATTRIBUTES if name in old}
    return state.put_if(*key, new, " AND ".join(conditions), values, {f"#{name}": name for name in _ATTRIBUTES})


_ATTRIBUTES = (WATERMARK, ENTERING)
