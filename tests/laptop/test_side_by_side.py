from __future__ import annotations

import threading

from infra.laptop.side_by_side import side_by_side


def test_calls_run_at_the_same_time() -> None:
    barrier = threading.Barrier(3, timeout=30)  # broken, unless all three calls are inside at once

    def wait() -> None:
        barrier.wait()

    assert side_by_side(dict.fromkeys("abc", wait)) == {}


def test_what_one_call_raises_stops_no_other_and_is_returned() -> None:
    ran, error = [], SystemExit(3)

    def fail() -> None:
        raise error

    raised = side_by_side({"a": lambda: ran.append("a"), "b": fail, "c": lambda: ran.append("c")})
    assert raised == {"b": error} and sorted(ran) == ["a", "c"]
