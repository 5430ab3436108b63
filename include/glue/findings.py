"""What an audit finds."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """An expectation that is not met."""

    severity: str
    """``critical``: the day is not published. ``warning``: it is, and a person should look."""
    name: str
    """Names the expectation, like ``scheduled.volume`` or ``tables.weather.quarantine``."""
    text: str
    """What was found and what was expected. It contains no values of rows."""
