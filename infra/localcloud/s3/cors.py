"""Cross-origin requests of browsers: the preflight, and the headers that a matching rule adds to an answer."""

from __future__ import annotations

import re
from typing import Any

from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.request import Answer, S3Request
from infra.localcloud.s3.store import Store

_VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


def _matches(patterns: list[str], text: str) -> bool:
    return any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.IGNORECASE) for pattern in patterns)


def _rule(store: Store, request: S3Request, method: str, asked: list[str]) -> dict[str, Any] | None:
    """The first rule that allows the origin, the method and every header."""
    origin = request.headers.get("origin", "")
    setting = store.setting(store.bucket(request.bucket), "cors") or {"CORSRules": []}
    for rule in setting["CORSRules"]:
        allowed = rule.get("AllowedHeaders", [])
        if (
            _matches(rule["AllowedOrigins"], origin)
            and method in rule["AllowedMethods"]
            and all(_matches(allowed, header) for header in asked)
        ):
            found: dict[str, Any] = rule
            return found
    return None


def _headers(rule: dict[str, Any], origin: str) -> dict[str, str]:
    everyone = rule["AllowedOrigins"] == ["*"]
    made = {
        "access-control-allow-origin": "*" if everyone else origin,
        "access-control-allow-methods": ", ".join(rule["AllowedMethods"]),
        "vary": _VARY,
    }
    if not everyone:
        made["access-control-allow-credentials"] = "true"
    if rule.get("ExposeHeaders"):
        made["access-control-expose-headers"] = ", ".join(rule["ExposeHeaders"])
    if "MaxAgeSeconds" in rule:
        made["access-control-max-age"] = str(rule["MaxAgeSeconds"])
    return made


def preflight(store: Store, request: S3Request) -> Answer:
    """OPTIONS."""
    method = request.headers.get("access-control-request-method", "")
    asked = [
        name.strip() for name in request.headers.get("access-control-request-headers", "").split(",") if name.strip()
    ]
    if "origin" not in request.headers or not method:
        raise S3Error("BadRequest", "Insufficient information. Origin request header needed.")
    rule = _rule(store, request, method, asked)
    if rule is None:
        raise S3Error(
            "AccessDenied",
            "CORSResponse: This CORS request is not allowed. This is usually because the "
            "evalution of Origin, request method / Access-Control-Request-Method or "
            "Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
            Method=method,
        )
    headers = _headers(rule, request.headers["origin"])
    if asked:
        headers["access-control-allow-headers"] = ", ".join(asked)
    return Answer(200, headers)


def answer_headers(store: Store, request: S3Request) -> dict[str, str]:
    """The headers for a request with an Origin; empty if no rule allows it."""
    if "origin" not in request.headers or not request.bucket:
        return {}
    try:
        rule = _rule(store, request, request.method, [])
    except S3Error:
        return {}
    return _headers(rule, request.headers["origin"]) if rule else {}
