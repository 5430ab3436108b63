"""Which version a person asks for: the Param ``version`` of a deploy."""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from include.errors import UserError

Requested = int | Literal["latest", "previous", "live", "repair"]
_NUMBER = "[1-9][0-9]{0,8}"
_VERSION = (
    "A version's number, or latest: the newest approved one; previous: roll back, and hold; live: the live one again, "
    "with the image of now; repair: after a loss of the record of what is live. Empty: latest."
)
_REASON = (
    "Needed to go back, by its number, to a version that was once live, or to go back while deploys are frozen. "
    "Empty: no reason."
)
VERSION_FORM = (
    _VERSION,
    ["latest", "previous", "live", "repair", "7"],
    f"^(latest|previous|live|repair|{_NUMBER})?$",
)
"""Description, suggestions, and what a text has to match (JSON Schema) of the Param ``version``."""
REASON_FORM = (_REASON, "version 8 refuses requests without a carrier")
"""Description and example of the Param ``reason``."""


def read_version(value: Any) -> Requested:
    """Reads the Param ``version``: a number (or its text), ``previous``, ``live``, ``repair`` or ``latest`` (or empty).

    Raises:
        UserError: The value is none of these.
    """
    if value in (None, "", "latest"):
        return "latest"
    if value in ("previous", "live", "repair"):
        return cast("Requested", value)
    if re.fullmatch(_NUMBER, str(value)):
        return int(value)
    raise UserError(f'Param "version" is {value!r}: give a version number, "latest", "previous", "live" or "repair"')
