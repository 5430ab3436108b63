"""DynamoDB's items: stored one by one. moto changes items in place, so each item that a write reads is marked."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

from infra.localcloud.state.backends import is_collecting
from infra.localcloud.state.elements import Difference, Elements

ItemKey = tuple[DynamoType, DynamoType | None]

_lock = threading.Lock()
_marked: WeakKeyDictionary[Table, dict[ItemKey, None]] = WeakKeyDictionary()


def observe_items() -> None:
    """Makes the methods through which moto reads and changes items mark them. Calling it again does nothing."""
    if getattr(Table.get_item, "marks", False):
        return
    for name in ("get_item", "put_item", "delete_item"):
        setattr(Table, name, _marking(getattr(Table, name), by_attributes=name == "put_item"))


def _marking(original: Callable[..., Any], *, by_attributes: bool) -> Callable[..., Any]:
    def method(self: Table, first: Any, *args: Any, **options: Any) -> Any:
        if is_collecting():
            if by_attributes:
                _mark_attributes(self, first)
            else:
                _mark(self, first, args[0] if args else options.get("range_key"))
        return original(self, first, *args, **options)

    method.marks = True  # type: ignore[attr-defined]  # a mark on the function
    return method


def _mark_attributes(table: Table, attributes: dict[str, Any]) -> None:
    names = [table.hash_key_attr, *([table.range_key_attr] if table.range_key_attr else [])]
    if all(attributes.get(name) for name in names):
        keys = [DynamoType(attributes[name]) for name in names]
        _mark(table, keys[0], keys[1] if len(keys) > 1 else None)


def _mark(table: Table, hash_key: DynamoType, range_key: DynamoType | None) -> None:
    with _lock:
        _marked.setdefault(table, {})[hash_key, range_key if table.has_range_key else None] = None


class TableItems(Elements):
    """``Table.items``: by hash key, or by hash key and range key."""

    def key_text(self, key: ItemKey) -> str:
        """The key's attribute values as JSON."""
        return json.dumps([part.to_json() if part else None for part in key], sort_keys=True, default=str)

    def difference(self, owner: Table, before: Any) -> tuple[Difference, Any]:
        """The marked items; all of them for a table that is new or whose items were exchanged as a whole."""
        with _lock:
            marked = _marked.pop(owner, {})
        if before is not owner.items:
            return Difference(clear=True, put=list(_flat(owner))), owner.items
        change = Difference()
        for key in marked:
            item = _find(owner, key)
            if item is None:
                change.delete.append(key)
            else:
                change.put.append((key, item))
        return change, owner.items

    def load(self, owner: Table, stored: Iterator[tuple[ItemKey, Item]]) -> Any:
        """The items in the order in which they were put."""
        items: Any = defaultdict(dict)
        for (hash_key, range_key), item in stored:
            if range_key is None:
                items[hash_key] = item
            else:
                items[hash_key][range_key] = item
        owner.items = items
        return items


def _flat(table: Table) -> Iterator[tuple[ItemKey, Item]]:
    values: Any = table.items  # moto declares only the form with a range key
    for hash_key, value in values.items():
        if not table.has_range_key:
            yield (hash_key, None), value
            continue
        for range_key, item in value.items():
            yield (hash_key, range_key), item


def _find(table: Table, key: ItemKey) -> Item | None:
    hash_key, range_key = key
    values: Any = table.items
    if hash_key not in values:
        return None
    found = values[hash_key] if range_key is None else values[hash_key].get(range_key)
    return found if isinstance(found, Item) else None
