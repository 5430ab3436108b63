"""What causes an alarm."""

from __future__ import annotations

from abc import ABC, abstractmethod

from infra.laptop.drills.target import Target


class Cause(ABC):
    """Something that makes an alarm go off, until it is ended.

    Args:
        target: The running stack.
    """

    def __init__(self, target: Target) -> None:
        self.target = target

    def prepare(self) -> None:  # noqa: B027 - a hook, not every cause has something to prepare
        """Makes the metric good, where that is not the rule: the alarm must be OK before."""

    @abstractmethod
    def begin(self) -> None:
        """Begins; what it needs runs in the background."""

    @abstractmethod
    def end(self) -> None:
        """Ends it, also if :meth:`begin` has failed half-way. A second call does nothing."""

    def close(self) -> None:  # noqa: B027 - a hook, not every cause has something to put back
        """Puts back what :meth:`prepare` has changed, when the drill is over."""
