"""The table of raw HTTP: bytes of a client, packet by packet, that must be answered alike however a service answers.

A case whose one packet is answered at once, without an ASGI cycle, says how many of its requests are.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.http_raw import JAVA_OFFER
from tests.support.request_cases import GOOD

BODY = GOOD.encode()
JSON = b"Content-Type: application/json\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass(frozen=True)
class RawCase:
    """What a client sends on one connection.

    Attributes:
        name: What is odd about it.
        packets: The bytes, as they are sent.
        answers: How many answers the service gives.
        direct: How many of them without a cycle. Packets may arrive together, so only cases of one packet have any.
        ends: Whether the service closes the connection after them.
        deaf: Whether it reads nothing after them, but does not close it.
    """

    name: str
    packets: tuple[bytes, ...]
    answers: int = 1
    direct: int = 0
    ends: bool = False
    deaf: bool = False


def post(
    *lines: bytes, body: bytes = BODY, target: bytes = b"/predict", version: bytes = b"1.1", kind: bytes = JSON
) -> bytes:
    """A POST with these header lines besides the usual ones."""
    added = b"".join(line + b"\r\n" for line in lines)
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST %b HTTP/%b\r\nHost: a\r\n%b%b%b\r\n%b" % (target, version, kind, added, length, body)


def head(*lines: bytes) -> bytes:
    """The head of a POST without a length."""
    return b"POST /predict HTTP/1.1\r\nHost: a\r\n" + JSON + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def one(
    name: str, packet: bytes, answers: int = 1, *, direct: int = 0, ends: bool = False, deaf: bool = False
) -> RawCase:
    """A case of one packet."""
    return RawCase(name, (packet,), answers, direct, ends, deaf)


PLAIN = post()
PLACE = PLAIN.index(b"\r\n\r\n") + 4
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
CHUNKED = head(b"Transfer-Encoding: chunked") + CHUNKS
WARNED = b'{"text_length": 99999, "num_keywords": 3}'

GOOD_CASES = [
    one("plain", PLAIN, direct=1),
    one("lower-case names", PLAIN.replace(b"Content-", b"content-"), direct=1),
    one("upper-case names", PLAIN.replace(b"Content-Length", b"CONTENT-LENGTH"), direct=1),
    one("no host", PLAIN.replace(b"Host: a\r\n", b""), direct=1),
    one("keep-alive", post(b"Connection: keep-alive"), direct=1),
    one("an offer without its connection header", post(b"Upgrade: h2c"), direct=1),
    one("request id", post(b"X-Request-Id: mine"), direct=1),
    one("request id with a forbidden sign", post(b"X-Request-Id: a b"), direct=1),
    one("request id too long", post(b"X-Request-Id: " + b"x" * 65), direct=1),
    one("empty request id", post(b"X-Request-Id:"), direct=1),
    one("request id twice", post(b"X-Request-Id: first", b"X-Request-Id: second"), direct=1),
    one("a second request id that is refused", post(b"X-Request-Id: first", b"X-Request-Id: a b"), direct=1),
    one("traced", post(b"X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"), direct=1),
    one("from a proxy", post(b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-Proto: https"), direct=1),
    one("key where none is needed", post(b"X-Api-Key: unknown"), direct=1),
    one("fifty headers", post(*(b"X-Filler-%d: %d" % (number, number) for number in range(50))), direct=1),
    one("header of 20 KB", post(b"X-Long: " + b"x" * 20_000), direct=1),
    one("header with bytes above 127", post(b"X-Name: \xe4\xff"), direct=1),
    one("white space before a value", PLAIN.replace(b": application/json", b": \t application/json"), direct=1),
    one("zeros before the length", PLAIN.replace(b"Length: ", b"Length: 000"), direct=1),
    one("other spelling of the record", post(body=b' {"num_keywords":3,\n"text_length":1.2e2} '), direct=1),
    one("empty lines before the request", b"\r\n\r\n" + PLAIN, direct=1),
    one("an empty line after the request", PLAIN + b"\r\n", direct=1),
    one("content-type twice, the last is right", post(b"Content-Type: application/json", kind=b"Content-Type: a/b\r\n"),
        direct=1),
]  # fmt: skip

LEFT_CASES = [
    one("a warning", post(body=WARNED)),
    one("an invalid record", post(body=b"{}")),
    one("white space after a value", PLAIN.replace(b"/json", b"/json \t")),
    one("integral float for an integer", post(body=b'{"num_keywords":3.0,"text_length":1}')),
    one("no JSON", post(body=b"text")),
    one("no UTF-8", post(body=b"\xff" + BODY)),
    one("name twice", post(body=b'{"text_length": 1, "text_length": 2, "num_keywords": 3}')),
    one("empty body", post(body=b"")),
    one("no length", head()),
    one("text/plain", post(kind=b"Content-Type: text/plain\r\n"), ends=True),
    one("no content-type", post(kind=b""), ends=True),
    one("charset", post(kind=b"Content-Type: Application/JSON; charset=utf-8\r\n")),
    one("content-type twice, the last is wrong", post(b"Content-Type: text/plain"), ends=True),
    one("gzip", post(b"Content-Encoding: gzip"), ends=True),
    one("identity", post(b"Content-Encoding: identity")),
    one("too large", post(body=b" " * 20_001), ends=True),
    one("as large as allowed", post(body=BODY + b" " * (20_000 - len(BODY))), direct=1),
    one("a length of 21 digits", PLAIN.replace(b"Length: ", b"Length: " + b"0" * 19), ends=True),
    one("query", post(target=b"/predict?x=1")),
    one("empty query", post(target=b"/predict?")),
    one("fragment", post(target=b"/predict#x")),
    one("quoted path", post(target=b"/%70redict")),
    one("absolute target", post(target=b"http://a/predict")),
    one("a slash more", post(target=b"/predict/")),
    one("two slashes", post(target=b"//predict")),
    one("upper-case path", post(target=b"/PREDICT")),
    one("a batch", post(target=b"/predict/batch", body=b'{"records": [%b]}' % BODY)),
    one("unknown path", post(target=b"/nothing")),
    one("GET", b"GET /predict HTTP/1.1\r\nHost: a\r\n\r\n"),
    one("GET with a body", PLAIN.replace(b"POST", b"GET", 1)),
    one("PUT", PLAIN.replace(b"POST", b"PUT", 1)),
    one("HEAD", b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n"),
    one("close", post(b"Connection: close"), ends=True),
    one("Close", post(b"Connection: Close"), deaf=True),
    one("close in a list", post(b"Connection: keep-alive, close"), deaf=True),
    one("close, then keep-alive", post(b"Connection: close", b"Connection: keep-alive"), ends=True),
    one("HTTP/1.0", post(version=b"1.0"), ends=True),
    one("HTTP/1.0 with keep-alive", post(b"Connection: keep-alive", version=b"1.0"), ends=True),
    one("HTTP/2.0", post(version=b"2.0"), deaf=True),
    one("h2c", post(*JAVA_OFFER.splitlines()), direct=1),
    one("websocket", post(b"Connection: Upgrade", b"Upgrade: websocket"), direct=1),
    one("close and h2c", post(b"Connection: close, Upgrade", b"Upgrade: h2c"), ends=True),
    one("CONNECT", b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", ends=True),
    one("expect", post(b"Expect: 100-continue"), 2),
    one("expect something else", post(b"Expect: nothing")),
    one("chunked", CHUNKED),
    one("chunked with a trailer", CHUNKED[:-2] + b"X-End: 1\r\n\r\n"),
    one("chunked with a length", post(b"Transfer-Encoding: chunked")[: -len(BODY)] + CHUNKS, ends=True),
    one("gzip, chunked", head(b"Transfer-Encoding: gzip, chunked") + CHUNKS),
    one("two predictions", PLAIN * 2, 2),
    one("five predictions", PLAIN * 5, 5),
    one("a bad and a good prediction", post(body=b"{}") + PLAIN, 2),
    one("a prediction and a question", PLAIN + HEALTH, 2),
    one("a question and a prediction", HEALTH + PLAIN, 2),
    one("a prediction before an offer", PLAIN + post(*JAVA_OFFER.splitlines()), 2),
    one("an offer before a prediction", post(*JAVA_OFFER.splitlines()) + PLAIN, 2),
    one("a prediction before the last one", PLAIN + post(b"Connection: close"), 2, ends=True),
    one("data after the last one", post(b"Connection: close") + PLAIN, ends=True),
]

REFUSED_CASES = [
    one("garbage", b"\x00\x01\x02\r\n\r\n", ends=True),
    one("a prediction before garbage", PLAIN + b"\x00\x01\x02\r\n\r\n", ends=True),
    one("two predictions before garbage", PLAIN * 2 + b"}\r\n\r\n", ends=True),
    one("a body longer than its length", PLAIN + b'{"', ends=True),
    one("white space after the length", PLAIN.replace(b"Content-Length: 39", b"Content-Length: 39 \t"), direct=1),
    one("length twice", post(b"Content-Length: 39"), ends=True),
    one("two lengths", post(b"Content-Length: 1"), ends=True),
    one("a negative length", PLAIN.replace(b"Length: ", b"Length: -"), ends=True),
    one("a length with a sign", PLAIN.replace(b"Length: ", b"Length: +"), ends=True),
    one("a length in hexadecimal", PLAIN.replace(b"Length: ", b"Length: 0x"), ends=True),
    one("white space before the colon", PLAIN.replace(b"Length:", b"Length :"), ends=True),
    one("a folded header", PLAIN.replace(b"Host: a", b"Host: a\r\n b"), ends=True),
    one("a NUL in a header", PLAIN.replace(b"Host: a", b"Host: a\x00b"), ends=True),
    one("bare line feeds", PLAIN.replace(b"\r\n", b"\n"), ends=True),
    one("no version", PLAIN.replace(b" HTTP/1.1", b""), deaf=True),
    one("version 1.2", post(version=b"1.2"), ends=True),
    one("lower-case method", PLAIN.replace(b"POST", b"post", 1), ends=True),
    one("a chunk without a size", head(b"Transfer-Encoding: chunked") + b"x\r\n", ends=True),
    one("half a body", PLAIN[:-1], ends=True),
    one("half a chunked body", CHUNKED[:-5], ends=True),
]

SPLIT_CASES = [
    RawCase("body later", (PLAIN[:PLACE], PLAIN[PLACE:])),
    RawCase("half a body later", (PLAIN[:-5], PLAIN[-5:])),
    RawCase("head in parts", (PLAIN[:30], PLAIN[30:70], PLAIN[70:])),
    RawCase("the last line feed later", (PLAIN[: PLACE - 1], PLAIN[PLACE - 1 :])),
    RawCase("head byte by byte", (*(PLAIN[place : place + 1] for place in range(PLACE)), BODY)),
    RawCase("one after the other", (PLAIN, PLAIN), 2),
    RawCase("with the start of the next", (PLAIN + PLAIN[:40], PLAIN[40:]), 2),
    RawCase("with the head of the next", (PLAIN + PLAIN[:PLACE], PLAIN[PLACE:]), 2),
    RawCase("with half the body of the next", (PLAIN + PLAIN[:-5], PLAIN[-5:] + PLAIN), 3),
    RawCase("a slow body, then garbage", (PLAIN[:-5], PLAIN[-5:], b"\x00\r\n\r\n"), 2, ends=True),
    RawCase("chunks in parts", (CHUNKED[:-20], CHUNKED[-20:-3], CHUNKED[-3:])),
    RawCase("body after the permission", (head(b"Expect: 100-continue", b"Content-Length: 39"), BODY), 2),
    RawCase("an offer in parts", (post(*JAVA_OFFER.splitlines())[:-5], BODY[-5:])),
    RawCase("a batch and a prediction", (post(target=b"/predict/batch", body=b"[]"), PLAIN), 2),
]

RAW_CASES = [*GOOD_CASES, *LEFT_CASES, *REFUSED_CASES, *SPLIT_CASES]
