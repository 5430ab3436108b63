"""Trino's URL functions: java.net.URI (RFC 2396 with IPv6), and application/x-www-form-urlencoded."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from infra.localcloud.athena.functions.python import PythonFunction
from infra.localcloud.athena.functions.text import wrong_argument

# A URI's characters: those of RFC 2396, percent escapes, and letters outside ASCII that are no spaces or controls.
_ESCAPED = r"%[0-9a-fA-F]{2}"
_OTHER = r"[^\x00-\x9f\s\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_MARK = r"A-Za-z0-9_\-!.~'()*"


def _characters(extra: str) -> str:
    return rf"(?:[{_MARK}{extra}]|{_ESCAPED}|{_OTHER})"


_PATH = _characters(r";/:@&=+$,")
_URIC = _characters(r";/?:@&=+$,\[\]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_HIERARCHY = re.compile(
    rf"(?://(?P<authority>(?:{_characters(';:@&=+$,')}|[\[\]])*))?(?P<path>{_PATH}*)"
    rf"(?:\?(?P<query>{_URIC}*))?(?:#(?P<fragment>{_URIC}*))?",
    re.DOTALL,
)
_OPAQUE = re.compile(rf"(?:(?!/){_URIC})+(?:#(?P<fragment>{_URIC}*))?", re.DOTALL)
_SERVER = re.compile(
    r"(?:[^@]*@)?(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9\-]*[A-Za-z0-9])?\.?"
    r"|(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-fA-F:.]+(?:%\w+)?\])(?::(?P<port>\d*))?"
)
_Parts = dict[str, str | None]


@lru_cache(maxsize=4096)
def _parse(url: str) -> _Parts | None:
    """Splits a URI; None if java.net.URI would not accept it."""
    scheme, rest = None, url
    if matched := _SCHEME.fullmatch(url):
        scheme, rest = matched[1], matched[2]
        if not rest:
            return None
        if not rest.startswith("/"):
            opaque = _OPAQUE.fullmatch(rest)
            return {"scheme": scheme, "fragment": opaque["fragment"]} if opaque else None
    elif ":" in re.split(r"[/?#]", url, maxsplit=1)[0]:
        return None
    found = _HIERARCHY.fullmatch(rest)
    if not found:
        return None
    parts: _Parts = {"scheme": scheme, **found.groupdict()}
    if parts["authority"] == "" and not (parts["path"] or parts["query"] or parts["fragment"]):
        return None
    if server := _SERVER.fullmatch(parts["authority"] or ""):
        parts |= {"host": server["host"], "port": server["port"] or None}
    return parts


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode(errors="replace")


def _extract(part: str, url: str) -> str | None:
    """Returns a part of a URL: text that is empty if there is no such part, null if the text is no URL."""
    parts = _parse(url)
    if parts is None:
        return None
    found = parts.get(part) or ""
    return found if part in ("scheme", "host") else _decoded(found)


def _port(url: str) -> int | None:
    port = (_parse(url) or {}).get("port")
    return int(port) if port else None


def _parameter(url: str, name: str) -> str | None:
    query = (_parse(url) or {}).get("query")
    if query is None:
        return None
    for argument in query.split("&"):
        key, _, value = argument.partition("=")
        if key == name:
            return _url_decode(value)
    return None


def _url_encode(text: str) -> str:
    return quote(text, safe="*-._").replace("%20", "+").replace("~", "%7E")


def _url_decode(text: str) -> str:
    for index in (matched.start() for matched in re.finditer("%", text)):
        digits = text[index + 1 : index + 3]
        if len(digits) < 2:
            raise wrong_argument("URLDecoder: Incomplete trailing escape (%) pattern")
        if not re.fullmatch("[0-9a-fA-F]{2}", digits):
            raise wrong_argument(f'URLDecoder: Illegal hex characters in escape (%) pattern - "{digits}"')
    return _decoded(text.replace("+", " "))


def _part(name: str) -> PythonFunction:
    return PythonFunction(f"py_url_{name}", lambda url: _extract(name, url), ("VARCHAR",), "VARCHAR")


FUNCTIONS = (
    *map(_part, ("scheme", "host", "path", "query", "fragment")),
    PythonFunction("py_url_port", _port, ("VARCHAR",), "BIGINT"),
    PythonFunction("py_url_parameter", _parameter, ("VARCHAR", "VARCHAR"), "VARCHAR"),
    PythonFunction("py_url_encode", _url_encode, ("VARCHAR",), "VARCHAR"),
    PythonFunction("py_url_decode", _url_decode, ("VARCHAR",), "VARCHAR"),
)
