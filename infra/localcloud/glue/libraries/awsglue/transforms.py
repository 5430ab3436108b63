"""Transforms with ``apply``, as generated scripts call them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyspark.sql import functions as F  # noqa: N812 - Spark's own convention

from .dynamicframe import DynamicFrame, DynamicFrameCollection
from .missing import NotAvailableError

__all__ = [
    "ApplyMapping",
    "DropFields",
    "DropNullFields",
    "Filter",
    "Join",
    "Map",
    "RenameField",
    "ResolveChoice",
    "SelectFields",
    "SelectFromCollection",
]
_INSTEAD = {
    "Relationalize": "toDF(), explode and a select of the nested fields",
    "UnnestFrame": "toDF() and a select of the nested fields",
    "Unbox": "toDF() and Spark's from_json",
    "SplitFields": "SelectFields and DropFields",
    "SplitRows": "two calls of Filter",
    "Spigot": "toDF().limit(n) and a write",
    "FillMissingValues": "toDF() and Spark's fillna",
    "FindMatches": "toDF() and a join",
}


class ApplyMapping:
    """Selects, renames and casts fields."""

    @staticmethod
    def apply(frame: DynamicFrame, mappings: Sequence[Sequence[str]], *_: Any, **__: Any) -> DynamicFrame:
        """See :meth:`DynamicFrame.apply_mapping`."""
        return frame.apply_mapping(mappings)


class SelectFields:
    """Keeps fields."""

    @staticmethod
    def apply(frame: DynamicFrame, paths: Sequence[str], *_: Any, **__: Any) -> DynamicFrame:
        """See :meth:`DynamicFrame.select_fields`."""
        return frame.select_fields(paths)


class DropFields:
    """Drops fields."""

    @staticmethod
    def apply(frame: DynamicFrame, paths: Sequence[str], *_: Any, **__: Any) -> DynamicFrame:
        """See :meth:`DynamicFrame.drop_fields`."""
        return frame.drop_fields(paths)


class RenameField:
    """Renames a field."""

    @staticmethod
    def apply(frame: DynamicFrame, old_name: str, new_name: str, *_: Any, **__: Any) -> DynamicFrame:
        """See :meth:`DynamicFrame.rename_field`."""
        return frame.rename_field(old_name, new_name)


class ResolveChoice:
    """Casts fields."""

    @staticmethod
    def apply(
        frame: DynamicFrame, specs: Sequence[tuple[str, str]] | None = None, choice: str = "", *_: Any, **__: Any
    ) -> DynamicFrame:
        """See :meth:`DynamicFrame.resolveChoice`."""
        return frame.resolveChoice(specs, choice)


class Filter:
    """Keeps records."""

    @staticmethod
    def apply(frame: DynamicFrame, f: Callable[[dict[str, Any]], bool], *_: Any, **__: Any) -> DynamicFrame:
        """See :meth:`DynamicFrame.filter`."""
        return frame.filter(f)


class Map:
    """Changes records."""

    @staticmethod
    def apply(frame: DynamicFrame, f: Callable[[dict[str, Any]], dict[str, Any]], *_: Any, **__: Any) -> DynamicFrame:
        """See :meth:`DynamicFrame.map`."""
        return frame.map(f)


class Join:
    """Joins two frames."""

    @staticmethod
    def apply(
        frame1: DynamicFrame, frame2: DynamicFrame, keys1: Sequence[str], keys2: Sequence[str], *_: Any, **__: Any
    ) -> DynamicFrame:
        """See :meth:`DynamicFrame.join`."""
        return frame1.join(keys1, keys2, frame2)


class DropNullFields:
    """Drops the fields that are NULL in every record."""

    @staticmethod
    def apply(frame: DynamicFrame, *_: Any, **__: Any) -> DynamicFrame:
        """The frame without them."""
        data = frame.toDF()
        present = data.select([F.count(F.col(f"`{name}`")).alias(name) for name in data.columns]).first()
        return frame.drop_fields([f"`{name}`" for name in data.columns if present is not None and not present[name]])


class SelectFromCollection:
    """Takes one frame of a collection."""

    @staticmethod
    def apply(dfc: DynamicFrameCollection, key: str, *_: Any, **__: Any) -> DynamicFrame:
        """The frame with this name."""
        return dfc.select(key)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    raise NotAvailableError(f"The transform {name}", _INSTEAD.get(name, "toDF() and Spark's own functions"))
