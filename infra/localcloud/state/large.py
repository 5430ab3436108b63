"""Which attributes are stored element by element."""

from __future__ import annotations

from moto.dynamodb.models.table import StreamShard, Table
from moto.glue.models import FakeTable
from moto.logs.models import LogStream

from infra.localcloud.cloudwatch.models import CloudWatchBackend
from infra.localcloud.kinesis.shard import Shard
from infra.localcloud.state.dynamodb import TableItems
from infra.localcloud.state.elements import AppendedList, Elements, KeyedElements
from infra.localcloud.xray.models import XRayBackend

_ELEMENTS: dict[type, tuple[Elements, ...]] = {
    CloudWatchBackend: (AppendedList("metric_data"), AppendedList("alarm_history")),
    FakeTable: (KeyedElements("partitions"),),
    LogStream: (AppendedList("events"),),
    # In this order: a record that moves meanwhile is stored in both places, never in none.
    Shard: (AppendedList("_newest"), AppendedList("_blocks")),
    StreamShard: (AppendedList("items"),),
    Table: (TableItems("items"),),
    XRayBackend: (KeyedElements("traces"),),
}
_of_class: dict[type, tuple[Elements, ...]] = {}


def elements_of(kind: type) -> tuple[Elements, ...]:
    """The attributes of a class, or of its parents, that are stored element by element."""
    known = _of_class.get(kind)
    if known is None:
        known = _of_class[kind] = tuple(elements for parent in kind.__mro__ for elements in _ELEMENTS.get(parent, ()))
    return known
