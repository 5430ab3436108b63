"""Signature Version 4, in headers and in presigned URLs: the check of a request against its access key."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes
from wsgiref.types import WSGIEnvironment

from infra.localcloud.authorization.principals import AccessKey, Principals
from infra.localcloud.errors import LocalCloudError
from infra.localcloud.request import sent_headers

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=15)
LONGEST_EXPIRY = 7 * 24 * 3600
UNSIGNED = "UNSIGNED-PAYLOAD"
_HEADER = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<headers>[^,\s]+),"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_CREDENTIAL = re.compile(r"([\w-]+)/(\d{8})/([\w-]+)/([\w.-]+)/aws4_request")
# Headers that SDKs may add after signing: they change nothing, or are part of the check anyway.
_UNSIGNED_HEADERS = frozenset(
    ("x-amz-user-agent", "x-amzn-trace-id", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
)
_TIME = "%Y%m%dT%H%M%SZ"


class SignatureError(LocalCloudError):
    """A request is not signed, or not by whom it says.

    Attributes:
        kind: missing, incomplete, version_2, unknown_key, headers_not_signed, mismatch, invalid_token, expired_token,
            skewed or url_expired.
    """

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(detail or kind)
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True)
class Signature:
    """The signature of a request, as given.

    Attributes:
        scope: ``date/region/service/aws4_request``.
        headers: The names of the signed headers, in lower case.
        time: The time of signing, as text in the signature's form.
        token: The session token.
        seconds: The validity of a presigned URL; None for a signature in the header.
    """

    access_key_id: str
    scope: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str
    time: str
    token: str | None
    seconds: int | None

    def authorization(self) -> str:
        """The Authorization header in its usual form."""
        return (
            f"{ALGORITHM} Credential={self.access_key_id}/{self.scope}, SignedHeaders={';'.join(self.headers)},"
            f" Signature={self.signature}"
        )

    def signer(self, secret: str) -> bytes:
        """The signing key."""
        return _signing_key(secret, self.scope)


def parse(environ: WSGIEnvironment) -> Signature | None:
    """Reads the signature of a request; None if it has none.

    Raises:
        SignatureError: It has one in another version, or an incomplete one.
    """
    header = environ.get("HTTP_AUTHORIZATION", "")
    query = dict(_pairs(environ.get("QUERY_STRING", "")))
    if not header:
        if "X-Amz-Signature" in query or "X-Amz-Algorithm" in query or "X-Amz-Credential" in query:
            return _presigned(query)
        if "AWSAccessKeyId" in query or "Signature" in query:
            raise SignatureError("version_2")
        return None
    if header.startswith(("AWS ", "AWS3")) or "SignatureVersion" in query:
        raise SignatureError("version_2")
    if "X-Amz-Signature" in query:
        raise SignatureError("incomplete", "Only one auth mechanism allowed")
    match = _HEADER.fullmatch(header.strip())
    if not match:
        raise SignatureError("incomplete", f"Authorization header is not {ALGORITHM} with Credential, SignedHeaders"
                             " and Signature")  # fmt: skip
    time = environ.get("HTTP_X_AMZ_DATE") or _from_date(environ.get("HTTP_DATE", ""))
    return _signature(
        match["credential"], match["headers"], match["signature"], time, environ.get("HTTP_X_AMZ_SECURITY_TOKEN"), None
    )


def _presigned(query: dict[str, str]) -> Signature:
    names = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")
    missing = [name for name in names if not query.get(name)]
    if missing or query["X-Amz-Algorithm"] != ALGORITHM:
        raise SignatureError("incomplete", f"{', '.join(missing) or 'X-Amz-Algorithm'} is missing or wrong")
    seconds = query.get("X-Amz-Expires", "")
    if not seconds.isdigit() or not 0 < int(seconds) <= LONGEST_EXPIRY:
        raise SignatureError("incomplete", "X-Amz-Expires must be a number of seconds below a week")
    return _signature(
        query["X-Amz-Credential"],
        query["X-Amz-SignedHeaders"],
        query["X-Amz-Signature"],
        query["X-Amz-Date"],
        query.get("X-Amz-Security-Token"),
        int(seconds),
    )


def _signature(
    credential: str, headers: str, signature: str, time: str, token: str | None, seconds: int | None
) -> Signature:
    match = _CREDENTIAL.fullmatch(credential)
    if not match:
        raise SignatureError("incomplete", "Credential must be KEY/DATE/REGION/SERVICE/aws4_request")
    return Signature(
        access_key_id=match[1],
        scope=f"{match[2]}/{match[3]}/{match[4]}/aws4_request",
        region=match[3],
        service=match[4].lower(),
        headers=tuple(headers.lower().split(";")),
        signature=signature,
        time=time,
        token=token,
        seconds=seconds,
    )


def _from_date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).astimezone(UTC).strftime(_TIME)
    except (TypeError, ValueError):
        return ""


def verify(environ: WSGIEnvironment, signature: Signature, principals: Principals, payload_hash: str) -> AccessKey:
    """Checks the key, the time, the token and the signature of a request.

    Args:
        environ: The request.
        signature: Its signature.
        principals: Where access keys are found.
        payload_hash: The hash of the body that is part of what was signed.

    Returns:
        The access key.

    Raises:
        SignatureError: One of them is wrong.
    """
    key = principals.key(signature.access_key_id)
    if key is None or not key.active:
        raise SignatureError("unknown_key")
    _check_time(signature)
    if "host" not in signature.headers:
        raise SignatureError("incomplete", "the header Host must be signed")
    _require_signed(environ, signature)
    if not _matches(environ, signature, key.secret, payload_hash):
        raise SignatureError("mismatch")
    if (key.token or "") != (signature.token or ""):
        raise SignatureError("invalid_token")
    if key.expires and key.expires <= datetime.now(UTC):
        raise SignatureError("expired_token")
    return key


@lru_cache(maxsize=64)
def instant(time: str) -> datetime:
    """Reads the time of signing.

    Raises:
        ValueError: It is not in the form ``20130524T000000Z``.
    """
    return datetime.strptime(time, _TIME).replace(tzinfo=UTC)


def _check_time(signature: Signature) -> None:
    try:
        signed = instant(signature.time)
    except ValueError:
        raise SignatureError("incomplete", "the time of signing is missing or malformed") from None
    if not signature.scope.startswith(signature.time[:8]):
        raise SignatureError("incomplete", "the date in the credential's scope is not that of X-Amz-Date")
    now = datetime.now(UTC)
    if signature.seconds is None:
        if abs(now - signed) > SKEW:
            raise SignatureError("skewed", f"{signature.time} is not within 15 minutes of {now.strftime(_TIME)}")
    elif signed - now > SKEW:
        raise SignatureError("skewed", f"{signature.time} is in the future")
    elif now > signed + timedelta(seconds=signature.seconds):
        raise SignatureError("url_expired")


def _require_signed(environ: WSGIEnvironment, signature: Signature) -> None:
    """S3 and the query services act on ``x-amz-`` headers, so each one present must be covered by the signature."""
    for header in sent_headers(environ):
        # A service sees underscores in a name as hyphens.
        meant = header.replace("_", "-")
        if meant.startswith("x-amz-") and header not in signature.headers and meant not in _UNSIGNED_HEADERS:
            raise SignatureError("headers_not_signed", header)


@lru_cache(maxsize=256)
def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _matches(environ: WSGIEnvironment, signature: Signature, secret: str, payload_hash: str) -> bool:
    key = signature.signer(secret)
    headers = _canonical_headers(environ, signature.headers)
    tail = f"{headers}\n\n{';'.join(signature.headers)}\n{payload_hash}"
    for path, query in _canonical_urls(environ, signature.service):
        canonical = f"{environ['REQUEST_METHOD']}\n{path}\n{query}\n{tail}"
        digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
        if hmac.compare_digest(sign(key, f"{ALGORITHM}\n{signature.time}\n{signature.scope}\n{digest}"),
                               signature.signature):  # fmt: skip
            return True
    return False


def sign(key: bytes, text: str) -> str:
    """Signs a string to sign."""
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical_headers(environ: WSGIEnvironment, names: tuple[str, ...]) -> str:
    lines, headers = [], sent_headers(environ)
    for name in names:
        value = headers.get(name, "").encode("latin-1", "replace").decode("utf-8", "replace")
        lines.append(f"{name}:{' '.join(value.split())}")
    return "\n".join(lines)


def _canonical_urls(environ: WSGIEnvironment, service: str) -> Iterator[tuple[str, str]]:
    """The canonical path and query, in the forms in which SDKs write them.

    S3 signs the path as it is sent, other services the path encoded once more; some SDKs encode it themselves first.
    """
    target = environ.get("RAW_URI") or environ["PATH_INFO"]
    path, _, raw_query = target.partition("?")
    path = path or "/"
    query = _canonical_query(raw_query)
    forms = [
        lambda: path,
        lambda: quote(unquote_to_bytes(path), safe="/~"),
        lambda: quote(_normalised(path), safe="/~"),
    ]
    seen = set()
    for form in forms if service == "s3" else reversed(forms):  # the usual one first
        if (candidate := form()) not in seen:
            seen.add(candidate)
            yield candidate, query


def _normalised(path: str) -> str:
    """The path without empty parts, ``.`` and ``..``."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    slash = "/" if path.endswith("/") and parts else ""
    return "/" + "/".join(parts) + slash


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for item in query.split("&"):
        if item:
            name, _, value = item.partition("=")
            yield _decoded(name), _decoded(value)


@lru_cache(maxsize=1024)  # names, and many values, come with every request
def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


@lru_cache(maxsize=1024)
def _encoded(text: str) -> str:
    """A name or a value in the one form in which it is signed."""
    return quote(unquote_to_bytes(text), safe="-_.~")


def _canonical_query(query: str) -> str:
    encoded = []
    for item in query.split("&"):
        if item:
            name, _, value = item.partition("=")
            encoded.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(encoded) if name != "X-Amz-Signature")
