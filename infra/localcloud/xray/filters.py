"""Filter expressions: the part of X-Ray's language that is evaluated here. All else is refused.

``service("name")``, ``annotation.key = "value"`` (or ``annotation[key]``), ``http.status = 503``, ``fault``, ``error``,
``throttle`` and ``ok``, joined by ``AND``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from infra.localcloud.actions import AwsError, Members

Test = Callable[[Members], bool]

_SERVICE = re.compile(r'service\(\s*"([^"]+)"\s*\)')
_ANNOTATION = re.compile(r'annotation(?:\.(\w+)|\[(\w+)\])\s*=\s*"([^"]*)"')
_STATUS = re.compile(r"http\.status\s*=\s*(\d{3})")
_AND = re.compile(r'\s+AND\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', re.IGNORECASE)  # not inside quotes


def parse(expression: str) -> Test:
    """A test of a trace's summary.

    Raises:
        AwsError: The expression is not of the part that is evaluated here.
    """
    tests = [_term(term.strip()) for term in _AND.split(expression.strip())]
    return lambda summary: all(test(summary) for test in tests)


def _term(term: str) -> Test:
    if term in ("fault", "error", "throttle"):
        member = f"Has{term.capitalize()}"
        return lambda summary: bool(summary[member])
    if term == "ok":
        return lambda summary: not (summary["HasFault"] or summary["HasError"] or summary["HasThrottle"])
    if match := _SERVICE.fullmatch(term):
        name = match[1]
        return lambda summary: any(service["Name"] == name for service in summary["ServiceIds"])
    if match := _STATUS.fullmatch(term):
        status = int(match[1])
        return lambda summary: summary["Http"].get("HttpStatus") == status
    if match := _ANNOTATION.fullmatch(term):
        key, value = match[1] or match[2], match[3]
        return lambda summary: any(
            given["AnnotationValue"].get("StringValue") == value for given in summary["Annotations"].get(key, [])
        )
    raise AwsError(
        "InvalidRequestException",
        f'The local cloud does not evaluate {term!r}. It evaluates service("…"), annotation.<key> = "…", '
        "http.status = <number>, fault, error, throttle and ok, joined by AND.",
    )
