"""Trino's URL functions in DuckDB."""

from __future__ import annotations

from infra.localcloud.athena.translator.calls import Translation, template

_V = "varchar"
_PARTS = {
    "protocol": "scheme",
    "host": "host",
    "port": "port",
    "path": "path",
    "query": "query",
    "fragment": "fragment",
}
TABLE: dict[str, Translation] = {
    **{f"url_extract_{name}": template(f"py_url_{part}({{0}})", _V) for name, part in _PARTS.items()},
    "url_extract_parameter": template("py_url_parameter({0}, {1})", _V, _V),
    "url_encode": template("py_url_encode({0})", _V),
    "url_decode": template("py_url_decode({0})", _V),
}
