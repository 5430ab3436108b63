"""``shadow.json``: what a new version answers to requests that the live version has answered.

Written by the shadow job, read by the deploy run. Types only, so that a DAG can import them.
"""

from __future__ import annotations

from typing import Final, TypedDict

FORMAT: Final = 1
SCORE_BINS = 10


class LogRead(TypedDict):
    """What was read of the prediction log.

    Attributes:
        lines: Its lines in the hours that were read.
        answered: Those that the live version has answered.
        unreadable: Lines of the live version that are no prediction.
        first: The time of the first request that was scored; empty if none was.
        last: The time of the last one.
    """

    lines: int
    answered: int
    unreadable: int
    first: str
    last: str


class Problems(TypedDict):
    """Requests that a version did not answer.

    Attributes:
        requests: Their number.
        reasons: The most frequent reasons, with their numbers.
    """

    requests: int
    reasons: dict[str, int]


class Differences(TypedDict):
    """By how much the new version's probabilities differ from those that callers got.

    Attributes:
        mean: Mean of new minus live.
        absolute: Mean of the absolute differences.
        p95: Their 95th percentile.
        largest: The largest one.
    """

    mean: float
    absolute: float
    p95: float
    largest: float


class Changed(TypedDict):
    """Requests that get another label.

    Attributes:
        to_1: Label 1 in place of 0.
        to_0: Label 0 in place of 1.
    """

    to_1: int
    to_0: int


class Latency(TypedDict):
    """Microseconds that one request takes, from the decoded record to the probability, in this job."""

    median: float
    p95: float


class Control(TypedDict):
    """The live version, scored again, against what it has answered.

    Attributes:
        requests: Requests that it answers again.
        differing: Those with another probability.
        largest: The largest difference.
    """

    requests: int
    differing: int
    largest: float


class ShadowReport(TypedDict):
    """The document.

    Attributes:
        format: :data:`FORMAT`.
        workload: The workload.
        live_digest: The live version's bundle.
        candidate_digest: The new version's bundle.
        read: What was read of the log.
        requests: Requests that the new version got.
        refused: Those that its request schema refuses, which callers would have got a 422 for.
        failed: Those that its features or its engine cannot score.
        differences: None if it has answered nothing.
        changed: Other labels.
        scores: Of live and new version: how many probabilities are in each bin of equal width.
        latency: Of live and new version; None if there is none.
        control: The live version against itself.
    """

    format: int
    workload: str
    live_digest: str
    candidate_digest: str
    read: LogRead
    requests: int
    refused: Problems
    failed: Problems
    differences: Differences | None
    changed: Changed
    scores: dict[str, list[int]]
    latency: dict[str, Latency] | None
    control: Control


class ShadowDigest(TypedDict):
    """The job's exit message: the sha256 of the document."""

    shadow_sha256: str
