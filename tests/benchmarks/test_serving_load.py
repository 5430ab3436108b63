"""The load generator against servers that misbehave: only a 200 is goodput."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from benchmarks.serving import inputs, load
from benchmarks.serving.agree import read_answers
from benchmarks.serving.inputs import Form
from benchmarks.serving.load import Spec

pytestmark = pytest.mark.stack


@asynccontextmanager
async def server(answer):
    """A server. ``answer(number, request)`` returns the parts of an answer; None closes the connection."""

    async def serve(reader, writer):
        number = 0
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                pieces = answer(number, head + await reader.readexactly(length))
                if pieces is None:
                    break
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.001)
                number += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]


def play(answer, **changes):
    async def run():
        async with server(answer) as port:
            fields = {"connections": 2, "seconds": 5, "warm_up": 0, "max_requests": 20, "distinct": 100, "form": Form()}
            return await load.play(Spec(port, **{**fields, **changes}))

    return asyncio.run(run())


def http(status, body=b"{}"):
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def test_a_round_ends_with_its_last_request_and_keeps_every_answer(tmp_path):
    file = tmp_path / "answers"
    result = play(lambda number, request: [http(200, request.partition(b"\r\n\r\n")[2])], answers=str(file), first=90)
    assert (result.good, result.failed) == (20, {})
    assert 0 < result.p50 <= result.p99
    pairs = inputs.pairs(100)
    answers = read_answers(file)
    # Distinct inputs, from the given one on and around the end.
    assert [number for number, _ in answers][:4] == [90, 91, 92, 93]
    assert len({number for number, _ in answers}) == len(answers) >= 20
    for number, body in answers:
        assert json.loads(body) == {"text_length": pairs[number][0], "num_keywords": pairs[number][1]}


def test_a_status_other_than_200_is_a_failed_request_without_latency(tmp_path):
    file = tmp_path / "answers"
    result = play(lambda number, _: [http(503 if number % 2 else 200)], answers=str(file))
    assert result.good == 20
    assert set(result.failed) == {"status 503"}
    assert 15 <= result.failed["status 503"] <= 25
    assert len(read_answers(file)) == 20


def test_a_server_that_only_refuses_has_no_goodput():
    result = play(lambda number, _: [http(503)], seconds=1)
    assert (result.good, result.p50, result.p99) == (0, None, None)
    assert result.failed["status 503"] > 0


def test_an_answer_in_parts_counts_when_it_is_complete():
    whole = http(200, b'{"prediction":1}')
    result = play(lambda number, _: [whole[:9], whole[9:30], whole[30:-3], whole[-3:]])
    assert (result.good, result.failed) == (20, {})


def test_a_connection_that_is_closed_is_counted_and_replaced():
    result = play(lambda number, _: None if number == 3 else [http(200)])
    assert result.good == 20
    assert set(result.failed) == {"connection closed by the server"}


def test_a_server_that_does_not_listen():
    result = asyncio.run(load.play(Spec(port=1, form=Form(), connections=1, seconds=1, distinct=10)))
    assert result.good == 0
    assert next(iter(result.failed)).startswith("no connection")


def test_a_spec_is_unchanged_by_json():
    spec = Spec(8080, Form("/x", headers=(("x-api-key", "k"),)), 8, 2.0, pid=7, core=1)
    assert Spec.from_json(spec.to_json()) == spec
