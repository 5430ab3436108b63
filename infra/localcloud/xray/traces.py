"""Traces: PutTraceSegments keeps segments, BatchGetTraces and GetTraceSummaries read them back."""

from __future__ import annotations

from collections.abc import MutableMapping
from itertools import islice
from typing import Any

from infra.localcloud.actions import AwsError, Members
from infra.localcloud.xray import filters, segments
from infra.localcloud.xray.segments import UnprocessedError

KEPT_TRACES = 10_000  # AWS keeps them for 30 days; here the oldest go when there are more
_MOST_IDS = 5

# Documents by id of the segment, of each trace in the order in which they arrived. A put replaces the trace's value,
# because the state is stored trace by trace (``infra/localcloud/state/large.py``).
Traces = MutableMapping[str, dict[str, str]]


def put(traces: Traces, documents: list[str]) -> list[Members]:
    """Keeps the segments. One with the id of an earlier one replaces it: that was in progress.

    Returns:
        ``UnprocessedTraceSegments``: those that were not taken, and why.
    """
    unprocessed: list[Members] = []
    for document in documents:
        try:
            segment = segments.parse(document)
        except UnprocessedError as error:
            unprocessed.append(error.members)
            continue
        trace_id = segment["trace_id"].lower()
        traces[trace_id] = {**traces.get(trace_id, {}), segment["id"].lower(): document}
    for oldest in list(islice(traces, max(0, len(traces) - KEPT_TRACES))):
        del traces[oldest]
    return unprocessed


def by_id(traces: Traces, trace_ids: list[str]) -> Members:
    """BatchGetTraces.

    Raises:
        AwsError: None, or more than five, were asked for.
    """
    if not 1 <= len(trace_ids) <= _MOST_IDS:
        raise AwsError("InvalidRequestException", f"TraceIds must have 1 to {_MOST_IDS} items")
    found = [trace_id for trace_id in trace_ids if trace_id.lower() in traces]
    return {
        "Traces": [_trace(trace_id.lower(), traces[trace_id.lower()]) for trace_id in found],
        "UnprocessedTraceIds": [trace_id for trace_id in trace_ids if trace_id not in found],
    }


def summaries(traces: Traces, request: Members, account: str) -> Members:
    """GetTraceSummaries: the newest first, all in one page.

    Raises:
        AwsError: The filter expression is not one that is evaluated here, or the end is before the start.
    """
    start, end = _seconds(request["StartTime"]), _seconds(request["EndTime"])
    if end < start:
        raise AwsError("InvalidRequestException", "EndTime must not be before StartTime")
    expression = request.get("FilterExpression")
    is_wanted = filters.parse(expression) if expression else lambda summary: True
    every = [segments.summary(trace_id, _parsed(documents), account) for trace_id, documents in traces.items()]
    in_time = [summary for summary in every if start <= summary["StartTime"] <= end]
    wanted = [summary for summary in in_time if is_wanted(summary)]
    return {
        "TraceSummaries": sorted(wanted, key=lambda summary: summary["StartTime"], reverse=True),
        "ApproximateTime": start,
        "TracesProcessedCount": len(in_time),
    }


def _trace(trace_id: str, documents: dict[str, str]) -> Members:
    return {
        "Id": trace_id,
        "Duration": segments.duration(_parsed(documents)),
        "LimitExceeded": False,
        "Segments": [{"Id": segment_id, "Document": document} for segment_id, document in documents.items()],
    }


def _parsed(documents: dict[str, str]) -> list[segments.Segment]:
    return [segments.parse(document) for document in documents.values()]


def _seconds(timestamp: Any) -> float:
    """A timestamp of the REST-JSON protocol, which is a number."""
    try:
        return float(timestamp)
    except (TypeError, ValueError):
        raise AwsError("InvalidRequestException", f"{timestamp!r} is not a time") from None
