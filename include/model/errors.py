"""The exceptions of this package. The tree is in ``include.errors``."""

from __future__ import annotations

from include.errors import NightjarError


class BundleError(NightjarError, ValueError):
    """A bundle is damaged, altered or incomplete. The text names the check that failed.

    Raised before code of the bundle runs, except where ``features.py`` or the model itself cannot be loaded.
    """


class ScoreError(NightjarError, ValueError):
    """A record cannot be scored.

    Attributes:
        index: Position of the record in its batch, from 0.
    """

    def __init__(self, message: str, index: int = 0) -> None:
        super().__init__(message)
        self.index = index
