"""Features of one order.

Pure functions of one request record, with the standard library only: Glue computes the training rows with them, the
service every prediction. A missing value is None.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

FEATURES = {"category": "category", "log_price": "number", "express": "number"}


def features(record: Mapping[str, Any]) -> dict[str, float | str | None]:
    """Returns the value of each feature in FEATURES for one request record."""
    return {
        "category": record["category"],
        "log_price": math.log1p(record["price"]),
        "express": None if record["express"] is None else float(record["express"]),
    }
