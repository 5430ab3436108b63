"""infra/localcloud/authorization/signatures.py and payload.py, in this process: botocore signs, they check."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug.wsgi import LimitedStream

from infra.localcloud.authorization import payload, signatures
from infra.localcloud.authorization.principals import AccessKey, Principal
from infra.localcloud.authorization.signatures import SignatureError
from infra.localcloud.wsgi import HEADERS_KEY

KEY, SECRET, TOKEN = "AKIAEXAMPLE", "secret", "token"
USER = Principal("user", "arn:aws:iam::123456789012:user/ann", "123456789012")


class Keys:
    """Stands in for Principals: one long-term key, and one session."""

    def key(self, access_key_id: str) -> AccessKey | None:
        hour = timedelta(hours=1)
        return {
            KEY: AccessKey(KEY, SECRET, USER),
            "ASIASESSION": AccessKey("ASIASESSION", SECRET, USER, TOKEN, datetime.now(UTC) + hour),
            "ASIAEXPIRED": AccessKey("ASIAEXPIRED", SECRET, USER, TOKEN, datetime.now(UTC) - hour),
            "AKIAINACTIVE": AccessKey("AKIAINACTIVE", SECRET, USER, active=False),
        }.get(access_key_id)


KEYS: Any = Keys()


def environ(request: Any) -> dict[str, Any]:
    """The WSGI environment of a signed request."""
    parts = urlsplit(request.url)
    values = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(parts.path),
        "QUERY_STRING": parts.query,
        "RAW_URI": parts.path + (f"?{parts.query}" if parts.query else ""),
        "HTTP_HOST": parts.netloc,
    }
    for name, value in request.headers.items():
        text = value.decode() if isinstance(value, bytes) else str(value)
        key = name.upper().replace("-", "_")
        values[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    return values


def signed(
    path: str = "/bucket/key",
    *,
    service: str = "s3",
    key: str = KEY,
    secret: str = SECRET,
    token: str | None = None,
    method: str = "GET",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    request = AWSRequest(method, f"http://127.0.0.1:4566{path}", data=body, headers=headers or {})
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(Credentials(key, secret, token), service, "us-east-1").add_auth(request)
    return environ(request)


def presigned(
    *, seconds: int = 60, token: str | None = None, key: str = KEY, path: str = "/bucket/key"
) -> dict[str, Any]:
    request = AWSRequest("GET", f"http://127.0.0.1:4566{path}")
    S3SigV4QueryAuth(Credentials(key, SECRET, token), "s3", "us-east-1", expires=seconds).add_auth(request)
    return environ(request)


def verify(values: dict[str, Any], body: bytes = b"") -> AccessKey:
    signature = signatures.parse(values)
    assert signature is not None
    given = values.get("HTTP_X_AMZ_CONTENT_SHA256") or hashlib.sha256(body).hexdigest()
    return signatures.verify(values, signature, KEYS, signatures.UNSIGNED if signature.seconds else given)


SIGNED: dict[str, Callable[[], dict[str, Any]]] = {
    "plain": signed,
    "path with other characters": lambda: signed("/bucket/with%20space/%C3%BC%3Dcode%26.bin"),
    "path that is not normalised": lambda: signed("/bucket/a//b/../c"),
    "query": lambda: signed("/bucket?list-type=2&prefix=a%2Fb&delimiter=%2F&empty="),
    "query without value": lambda: signed("/bucket?uploads"),
    "headers": lambda: signed(headers={"x-amz-meta-note": "  two   spaces ", "content-type": "text/plain"}),
    "session": lambda: signed(key="ASIASESSION", token=TOKEN),
    "lambda": lambda: signed("/2015-03-31/functions/f/invocations", service="lambda", method="POST"),
    "ARN in the path": lambda: signed("/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Af", service="lambda"),
    "presigned": presigned,
    "presigned by a session": lambda: presigned(key="ASIASESSION", token=TOKEN),
    "presigned with a query": lambda: presigned(path="/bucket/a%20b?response-content-type=text%2Fplain"),
}


@pytest.mark.parametrize("sign", SIGNED.values(), ids=SIGNED.keys())
def test_what_botocore_signs_is_verified(sign: Callable[[], dict[str, Any]]) -> None:
    assert verify(sign()).principal == USER


def test_a_body_is_part_of_the_signature() -> None:
    body = b'{"TableName": "t"}'
    values = signed("/", service="dynamodb", method="POST", body=body, headers={"x-amz-target": "DynamoDB.GetItem"})
    assert verify(values, body).principal == USER
    with pytest.raises(SignatureError, match="mismatch"):
        verify(values, b'{"TableName": "u"}')


CHANGES: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
    ("another secret", "mismatch", lambda values: values.update(signed(secret="guess"))),
    ("an unknown key", "unknown_key", lambda values: values.update(signed(key="AKIANOBODY"))),
    ("an inactive key", "unknown_key", lambda values: values.update(signed(key="AKIAINACTIVE"))),
    ("another path", "mismatch", lambda values: values.update(RAW_URI="/bucket/other")),
    ("another query", "mismatch", lambda values: values.update(RAW_URI="/bucket/key?acl")),
    ("another method", "mismatch", lambda values: values.update(REQUEST_METHOD="DELETE")),
    ("another host", "mismatch", lambda values: values.update(HTTP_HOST="localhost:4566")),
    ("another payload hash", "mismatch", lambda values: values.update(HTTP_X_AMZ_CONTENT_SHA256="0" * 64)),
    ("a header that is not signed", "headers_not_signed", lambda values: values.update(HTTP_X_AMZ_ACL="public-read")),
    ("an unsigned copy source", "headers_not_signed", lambda values: values.update(HTTP_X_AMZ_COPY_SOURCE="/b/k")),
    ("a token too much", "invalid_token", lambda values: values.update(signed(token=TOKEN))),
    ("no token", "invalid_token", lambda values: values.update(signed(key="ASIASESSION"))),
    ("another token", "invalid_token", lambda values: values.update(signed(key="ASIASESSION", token="other"))),
    ("an expired session", "expired_token", lambda values: values.update(signed(key="ASIAEXPIRED", token=TOKEN))),
]


@pytest.mark.parametrize(("kind", "change"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_what_is_wrong_is_named(kind: str, change: Callable[[dict[str, Any]], None]) -> None:
    values = signed()
    change(values)
    with pytest.raises(SignatureError) as caught:
        verify(values)
    assert caught.value.kind == kind


def moved(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    """Lets the server's clock be ahead of the client's."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(minutes=minutes)

    monkeypatch.setattr(signatures, "datetime", Clock)


@pytest.mark.parametrize(("minutes", "kind"), [(14, ""), (-14, ""), (16, "skewed"), (-16, "skewed")])
def test_clocks_may_differ_by_15_minutes(monkeypatch: pytest.MonkeyPatch, minutes: int, kind: str) -> None:
    values = signed()
    moved(monkeypatch, minutes)
    if not kind:
        assert verify(values).principal == USER
        return
    with pytest.raises(SignatureError) as caught:
        verify(values)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("seconds", "minutes", "kind"), [(3600, 59, ""), (3600, 61, "url_expired"), (60, -16, "skewed")]
)
def test_a_presigned_url_expires(monkeypatch: pytest.MonkeyPatch, seconds: int, minutes: int, kind: str) -> None:
    values = presigned(seconds=seconds)
    moved(monkeypatch, minutes)
    if not kind:
        assert verify(values).principal == USER
        return
    with pytest.raises(SignatureError) as caught:
        verify(values)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"HTTP_AUTHORIZATION": "AWS AKIA:signature"}, "version_2"),
        ({"QUERY_STRING": "AWSAccessKeyId=AKIA&Signature=x&Expires=1"}, "version_2"),
        ({"HTTP_AUTHORIZATION": "Bearer token"}, "incomplete"),
        (
            {"HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=" + "0" * 64},
            "incomplete",
        ),
        ({"QUERY_STRING": "X-Amz-Signature=x"}, "incomplete"),
        (
            {**presigned(seconds=60), "QUERY_STRING": presigned()["QUERY_STRING"].replace("=60&", "=700000&")},
            "incomplete",
        ),
        ({**signed(), "QUERY_STRING": presigned()["QUERY_STRING"]}, "incomplete"),
    ],
    ids=[
        "header of version 2",
        "query of version 2",
        "bearer",
        "credential",
        "query",
        "more than a week",
        "two signatures",
    ],
)
def test_other_signatures_are_refused(values: dict[str, Any], kind: str) -> None:
    with pytest.raises(SignatureError) as caught:
        signatures.parse(values)
    assert caught.value.kind == kind


def test_a_request_without_signature_has_none() -> None:
    assert signatures.parse({"QUERY_STRING": "list-type=2"}) is None


# --- bodies --------------------------------------------------------------------------------------------------------

SEED = "5" * 64
SIGNING_KEY = b"k" * 32


def stream(body: bytes) -> Any:
    """A body as the server has it: the next request follows on the connection."""
    return LimitedStream(io.BufferedReader(io.BytesIO(body + b"GET /next")), len(body))


def chunked(*chunks: bytes) -> bytes:
    previous, encoded = SEED, b""
    for chunk in (*chunks, b""):
        text = "\n".join(("PREFIX", previous, payload.EMPTY, hashlib.sha256(chunk).hexdigest()))
        previous = signatures.sign(SIGNING_KEY, text)
        encoded += b"%x;chunk-signature=%s\r\n%s\r\n" % (len(chunk), previous.encode(), chunk)
    return encoded


def checked(body: bytes) -> payload.SignedChunks:
    return payload.SignedChunks(stream(body), SEED, "PREFIX", lambda text: signatures.sign(SIGNING_KEY, text))


@pytest.mark.parametrize("chunks", [[], [b"abc"], [b"x" * 200_000, b"y" * 7]], ids=["none", "one", "two"])
@pytest.mark.parametrize("size", [-1, 1, 1000])
def test_signed_chunks_are_passed_on_as_they_are(chunks: list[bytes], size: int) -> None:
    if size == 1 and len(chunks) == 2:
        size = 100
    body = chunked(*chunks)
    reader = checked(body)
    got = b"".join(iter(lambda: reader.read(size), b""))
    assert got == body
    assert reader.failure is None


@pytest.mark.parametrize(
    "body",
    [
        chunked(b"abc").replace(b"abc", b"abd"),
        chunked(b"abc", b"def").replace(b"def", b"deg"),
        chunked(b"abc")[:40],
        b"not chunked",
        b"",
        b"ffffffffff;chunk-signature=" + b"0" * 64,
    ],
    ids=["changed", "second changed", "cut", "plain", "empty", "huge"],
)
def test_a_wrong_chunk_is_not_handed_out(body: bytes) -> None:
    reader = checked(body)
    with pytest.raises(payload.PayloadError):
        reader.read()
    assert reader.failure is not None


def test_the_end_of_a_body_with_a_wrong_hash_is_not_handed_out() -> None:
    right = payload.HashedBody(stream(b"abcdef"), 6, hashlib.sha256(b"abcdef").hexdigest())
    assert right.read(4) + right.read() + right.read() == b"abcdef"
    wrong = payload.HashedBody(stream(b"abcdeg"), 6, hashlib.sha256(b"abcdef").hexdigest())
    assert wrong.read(4) == b"abcd"
    with pytest.raises(payload.PayloadError):
        wrong.read(4)
    assert wrong.failure is not None


def test_underscores_in_a_name_hide_no_header_from_the_signature() -> None:
    values = signed()
    sent = [(name[5:].replace("_", "-"), value) for name, value in values.items() if name.startswith("HTTP_")]
    verify({**values, HEADERS_KEY: sent})
    with pytest.raises(signatures.SignatureError, match="x_amz_acl"):
        verify({**values, HEADERS_KEY: [*sent, ("x_amz_acl", "public-read")]})
