"""The order of shards after a resharding: parents before children."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from include.pipelines.protocols import Shard


def lineages(shards: Sequence[Shard], drained: Collection[str]) -> list[list[Shard]]:
    """Groups related shards, parents first. Groups are independent of each other.

    One task reads one group, so children are read right after their parents, in the same run.

    Args:
        shards: All shards of the stream.
        drained: The ids of closed shards that were read to their end; they are left out.
    """
    waiting = {shard["shard_id"]: [p for p in shard["parents"] if p not in drained] for shard in shards}
    waiting = {shard_id: parents for shard_id, parents in waiting.items() if shard_id not in drained}
    group_of = {shard_id: shard_id for shard_id in waiting}
    for shard_id, parents in waiting.items():
        for parent in parents:
            old, new = group_of[shard_id], group_of[parent]
            group_of = {member: new if group == old else group for member, group in group_of.items()}
    groups: dict[str, list[Shard]] = {}
    for shard_id in _parents_first(waiting):
        groups.setdefault(group_of[shard_id], []).append({"shard_id": shard_id, "parents": waiting[shard_id]})
    return list(groups.values())


def _parents_first(waiting: Mapping[str, Sequence[str]]) -> list[str]:
    order: list[str] = []
    while len(order) < len(waiting):
        order += [s for s, parents in waiting.items() if s not in order and all(p in order for p in parents)]
    return order
