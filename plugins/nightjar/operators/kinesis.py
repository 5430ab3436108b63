"""Kinesis to raw, and the stream's watermark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from nightjar.instants import instant_text, parse_instant
from nightjar.kinesis.hook import KinesisReadHook
from nightjar.objects import ObjectStoreHook
from nightjar.state.hook import StateHook
from nightjar.stream.shard import ShardIngest, Target


class KinesisToS3Operator(BaseOperator):
    """Reads one group of related shards (:func:`nightjar.stream.lineage.lineages`) into raw, in order; returns a summary a shard.

    A shard whose parents were not read whole is left to the next run: parents' records come before their children's.

    :param shards: ``[{"shard_id", "parents"}]``, parents first; what the task is mapped over.
    :param until: ISO 8601 instant; the first record that arrived then or later, and all after it, are left to the next run.
        Templated.
    :param target: keyword arguments of :class:`nightjar.stream.shard.Target`.
    :param state_table: the state table.
    """

    template_fields: Sequence[str] = ("until", "shards")

    def __init__(
        self, *, shards: list[dict[str, Any]], until: str, target: dict[str, Any], state_table: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.shards = shards
        self.until = until
        self.target = target
        self.state_table = state_table

    def execute(self, context: Any) -> list[dict[str, Any]]:
        target, until = Target(**self.target), parse_instant(self.until)
        hooks = {"kinesis": KinesisReadHook(), "lake": ObjectStoreHook(), "state": StateHook(self.state_table)}
        summaries, drained = [], set()
        for shard in self.shards:
            shard_id = shard["shard_id"]
            if not set(shard["parents"]) <= drained:
                self.log.info(
                    "%s waits for the next run: its parents %s are not read whole", shard_id, shard["parents"]
                )
                continue
            summary = ShardIngest(target, shard_id, until, **hooks).run()
            self.log.info("%s", summary)
            if summary.closed:
                drained.add(shard_id)
            summaries.append(summary.to_dict())
        return summaries


class AdvanceWatermarkOperator(BaseOperator):
    """Says up to when a stream is complete in raw; returns the watermark. Skipped, with a text, when nothing was read.

    Clock ``arrived_at``: the run's end. Clock ``recorded_at``: the newest recorded_at read so far, but no later than that of a
    record left unread (producers write in the order in which they record). Never later than the run's end, never going back.

    :param summaries: what the mapped :class:`KinesisToS3Operator` returned. Templated.
    :param until: ISO 8601 end of the run. Templated.
    :param complete_to: ISO 8601 instant up to which all was sent, as a replay knows; "" or None where nobody does. Templated.
    :param checkpoint_pk, watermark_key: keys in the state table.
    """

    template_fields: Sequence[str] = ("summaries", "until", "complete_to")

    def __init__(
        self,
        *,
        summaries: Any,
        until: str,
        clock: str,
        state_table: str,
        checkpoint_pk: str,
        watermark_key: tuple[str, str],
        complete_to: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.summaries = summaries
        self.until = until
        self.clock = clock
        self.state_table = state_table
        self.checkpoint_pk = checkpoint_pk
        self.watermark_key = watermark_key
        self.complete_to = complete_to

    def execute(self, context: Any) -> str | None:
        summaries = [summary for group in self.summaries or () for summary in group]
        state, until = StateHook(self.state_table), instant_text(parse_instant(self.until))
        watermark = until if self.clock == "arrived_at" else min(until, self._recorded(state, summaries) or "")
        if watermark and state.advance(*self.watermark_key, {"watermark": watermark}, "watermark"):
            self.log.info("The stream is complete in raw up to %s (%s)", watermark, self.clock)
        read = sum(summary["records"] + summary["quarantined"] + summary["repaired"] for summary in summaries)
        if not read:
            raise AirflowSkipException(
                f"No record arrived before {until} that was not in raw already: nothing to ingest."
            )
        return watermark or None

    def _recorded(self, state: StateHook, summaries: list[dict[str, Any]]) -> str:
        read = [item.get("max_recorded_at", "") for item in state.query(self.checkpoint_pk).values()]
        if self.complete_to:
            read.append(instant_text(parse_instant(self.complete_to)))
        unread = [summary["next_recorded_at"] for summary in summaries if summary["next_recorded_at"]]
        return min([max(read, default=""), *unread])
