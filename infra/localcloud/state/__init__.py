"""The state of every service, durable at each acknowledged write and restored at the start ([ADR 15] in docs/adr).

| file | subject |
|---|---|
| ``store.py`` | finds what a request changed, writes it, restores it |
| ``encoding.py`` | one object as bytes and back |
| ``elements.py`` | attributes with very many elements, which are stored element by element |
| ``rules.py`` | the data of the above: what is not stored and why, value classes, counters |
| ``database.py`` | the SQLite file |
| ``backends.py`` | the names of moto's backends, and which of them a thread reaches |
| ``middleware.py``, ``reads.py`` | stores the changes of a request before its answer goes out |
| ``dynamodb.py`` | marks the items that a DynamoDB request may change |
"""

from __future__ import annotations

from infra.localcloud.state.errors import StateError, UnstorableError
from infra.localcloud.state.store import StateStore

__all__ = ["StateError", "StateStore", "UnstorableError"]
