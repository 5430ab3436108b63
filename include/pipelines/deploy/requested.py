"""Which version a person asks for: the Param ``version`` of a deploy."""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from include.errors import UserError

Requested = int | Literal["latest", "previous", "live", "repair"]
_NUMBER = "[1-9][0-9]{0,8}"
VERSION_PATTERN = f"^(latest|previous|live|repair|{_NUMBER})?$"
"""What a text in the form has to match (JSON Schema)."""


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
