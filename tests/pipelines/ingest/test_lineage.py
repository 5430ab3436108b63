"""The order of shards after a resharding."""

from __future__ import annotations

from include.pipelines.ingest.lineage import lineages
from include.pipelines.protocols import Shard


def shard(name: str, *parents: str) -> Shard:
    return {"shard_id": name, "parents": list(parents)}


def test_lineages_put_parents_first_and_leave_out_what_is_drained() -> None:
    shards = [shard("d", "b", "c"), shard("c"), shard("b", "a"), shard("a"), shard("x")]
    groups = lineages(shards, {"c"})
    assert [[member["shard_id"] for member in group] for group in groups] == [["a", "b", "d"], ["x"]]
    assert groups[0][2]["parents"] == ["b"]
    assert lineages([shard("a")], {"a"}) == []
