"""Runs a few calls at the same time, in threads that an interrupt does not wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping


def side_by_side(calls: Mapping[str, Callable[[], None]]) -> dict[str, BaseException]:
    """Makes the calls at the same time, and waits for all of them.

    The threads are daemons: a program that is interrupted ends at once, as without threads.

    Returns:
        What was raised, by the name of the call.
    """
    raised: dict[str, BaseException] = {}

    def catch(name: str, call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as error:  # the caller decides what becomes of it
            raised[name] = error

    threads = [
        threading.Thread(target=catch, args=(name, call), name=name, daemon=True) for name, call in calls.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {name: raised[name] for name in calls if name in raised}
