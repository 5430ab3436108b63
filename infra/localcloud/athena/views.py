"""The text of a view as Athena keeps it in the Glue catalog."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from infra.localcloud.athena.errors import QueryError

_VIEW = re.compile(r"/\* Presto View: (\S+) \*/")


def encode_view(sql: str, columns: list[tuple[str, str]], database: str) -> str:
    """Writes the text of a view."""
    body = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": kind} for name, kind in columns],
    }
    return f"/* Presto View: {base64.b64encode(json.dumps(body).encode()).decode()} */"


def decode_view(database: str, description: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the text of a view: ``originalSql``, ``schema`` and so on.

    Raises:
        QueryError: Athena did not make the view.
    """
    matched = _VIEW.search(str(description.get("ViewOriginalText")))
    if not matched:
        raise QueryError(f"INVALID_VIEW: {database}.{description['Name']} is not a view that Athena made")
    return dict(json.loads(base64.b64decode(matched[1])))
