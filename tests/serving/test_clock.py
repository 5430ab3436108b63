"""Timestamps of log lines."""

from serving import clock


def test_a_timestamp_follows_the_second():
    assert clock.timestamp(1_700_000_000.9996) == "2023-11-14T22:13:20.999Z"
    assert clock.timestamp(1_700_000_001.0) == "2023-11-14T22:13:21.000Z"
    assert clock.timestamp(1_700_000_000.25) == "2023-11-14T22:13:20.250Z"
