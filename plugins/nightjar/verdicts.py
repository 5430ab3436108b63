"""Tasks that decide on something new: the sentence of a verdict is noted, and a fault is known to later tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Verdicts(Protocol):
    """What is made of a verdict on something new."""

    @property
    def fault(self) -> tuple[str, type[Exception]]:
        """The XCom that names a fault of what is new, and the exception that :meth:`accept` then raises."""

    def accept(self, verdict: Any) -> str:
        """Returns a sentence for the run's note, or raises if the verdict is against what is new."""


@contextmanager
def fault_pushed(ti: Any, key: str, fault: type[Exception]) -> Iterator[None]:
    """Pushes the text of such an exception of the body as an XCom, and lets it pass.

    Args:
        ti: The task instance.
        key: Key of the XCom.
        fault: The exception's class.
    """
    try:
        yield
    except fault as error:
        ti.xcom_push(key=key, value=str(error))
        raise
