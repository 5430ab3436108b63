"""Conditions of listener rules as matchers of Caddy's routes.

``*`` in a value stands for any characters and ``?`` for one, as on AWS. Paths are compared with case; host names and
headers without. All conditions of a rule must hold, and one value of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Matcher = dict[str, Any]


def matcher(conditions: list[dict[str, Any]]) -> Matcher:
    """One matcher for all conditions of a rule.

    Raises:
        NotImplementedError: A condition is of a kind that is not routed.
    """
    found: Matcher = {}
    for condition in conditions:
        field = condition["Field"]
        if field not in _KINDS:
            raise NotImplementedError(f"Conditions of the field {field} are not routed: {', '.join(_KINDS)} are.")
        for name, value in _KINDS[field](condition).items():
            # Two conditions on different headers are one entry of Caddy.
            found[name] = {**found[name], **value} if name in found else value
    return found


def _values(condition: Mapping[str, Any], config: str) -> list[str]:
    """The values in the field's own structure, or in the older list beside it."""
    given = condition.get(config) or {}
    if given.get("RegexValues"):
        raise NotImplementedError("Conditions with RegexValues are not routed: AWS has a syntax of its own for them.")
    values: list[str] = given.get("Values") or condition.get("Values") or []
    return values


def _pattern(values: list[str]) -> str:
    return "|".join("".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in value) for value in values)


def _host(condition: Mapping[str, Any]) -> Matcher:
    return {
        "header_regexp": {"Host": {"pattern": rf"(?i)^({_pattern(_values(condition, 'HostHeaderConfig'))})(:\d+)?$"}}
    }


def _path(condition: Mapping[str, Any]) -> Matcher:
    return {"path_regexp": {"pattern": f"^({_pattern(_values(condition, 'PathPatternConfig'))})$"}}


def _header(condition: Mapping[str, Any]) -> Matcher:
    config = condition["HttpHeaderConfig"]
    return {"header_regexp": {config["HttpHeaderName"]: {"pattern": f"(?i)^({_pattern(config['Values'])})$"}}}


def _method(condition: Mapping[str, Any]) -> Matcher:
    return {"method": list(condition["HttpRequestMethodConfig"]["Values"])}


def _source(condition: Mapping[str, Any]) -> Matcher:
    return {"remote_ip": {"ranges": list(condition["SourceIpConfig"]["Values"])}}


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Matcher]] = {
    "host-header": _host,
    "path-pattern": _path,
    "http-header": _header,
    "http-request-method": _method,
    "source-ip": _source,
}
