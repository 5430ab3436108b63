"""Against a real Valkey, which is stopped, suspended and killed, and against a server that is only slow."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.credentials import CredentialProvider
from redis.exceptions import NoPermissionError

from serving import redis_cache
from serving.cache import record_key
from serving.redis_cache import FAILURES, ROUND_TRIP_SECONDS, WAIT_SECONDS, RedisCache
from tests.support.valkey import Valkey

pytestmark = pytest.mark.stack
ROOT = Path(__file__).parents[2]
DIGEST = "d" * 64
RECORD = {"text_length": 120.0, "num_keywords": 3}
KEY = f"nightjar:{DIGEST}:" + sha256(record_key(RECORD)).hexdigest()
# Requests that come one after the other each wait in a suspended server's round trip until it times out.
MAX_ASKED = FAILURES * round(ROUND_TRIP_SECONDS / WAIT_SECONDS)


@pytest.fixture
def valkey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Valkey]:
    monkeypatch.setattr(redis_cache, "PAUSE_SECONDS", 0.2)
    # Longer in the same proportion, so that a good answer is not late on a busy machine.
    be_patient(monkeypatch, 1000)
    running = Valkey(tmp_path)
    yield running
    running.stop()


def be_patient(monkeypatch: pytest.MonkeyPatch, factor: int) -> None:
    """Waits that are so many times as long."""
    monkeypatch.setattr(redis_cache, "WAIT_SECONDS", factor * WAIT_SECONDS)
    monkeypatch.setattr(redis_cache, "ROUND_TRIP_SECONDS", factor * ROUND_TRIP_SECONDS)


def run(
    url: str,
    test: Callable[[RedisCache], Coroutine[Any, Any, None]],
    digest: str = DIGEST,
    credentials: CredentialProvider | None = None,
) -> None:
    async def main() -> None:
        cache = RedisCache(url, digest, credentials)
        try:
            await test(cache)
        finally:
            await cache.close()

    asyncio.run(main())


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    end = time.monotonic() + 30
    while not await condition():
        assert time.monotonic() < end, "the condition never became true"
        await asyncio.sleep(0.01)


async def connected(cache: RedisCache) -> None:
    async def answered() -> bool:
        before = cache.hits + cache.misses
        await cache.get({"unknown": 1})
        return cache.hits + cache.misses > before

    await until(answered)


def asked(cache: RedisCache) -> int:
    return cache.hits + cache.misses + cache.errors


def test_a_probability_comes_back_bit_for_bit(valkey: Valkey):
    async def test(cache: RedisCache) -> None:
        await connected(cache)
        assert await cache.get(RECORD) is None
        cache.put(RECORD, 0.1 + 0.2)
        await until(lambda: cache.get(RECORD))
        assert await cache.get(RECORD) == 0.1 + 0.2
        assert await cache.get({**RECORD, "text_length": 120.5}) is None

    run(valkey.url, test)
    assert valkey.client.get(KEY) == b"0.30000000000000004"
    assert 0 < valkey.client.ttl(KEY) <= redis_cache.KEEP_SECONDS


class Password(CredentialProvider):
    """A user with a password, in place of a token of IAM, which only AWS verifies."""

    def get_credentials(self) -> tuple[str, str]:
        return "nightjar-rides", "secret"

    async def get_credentials_async(self) -> tuple[str, str]:
        return self.get_credentials()


def test_the_permissions_of_the_services_user_are_enough_and_no_more(valkey: Valkey):
    rules = re.findall(r'AccessString: "(.+)"', (ROOT / "infra" / "definitions" / "cache.yaml").read_text())[0].split()
    valkey.client.execute_command("ACL", "SETUSER", "nightjar-rides", "reset", ">secret", *rules)
    valkey.client.execute_command("ACL", "SETUSER", "default", "resetpass", "-@all", "+acl", "+ping", "+info")

    async def test(cache: RedisCache) -> None:
        await connected(cache)
        cache.put(RECORD, 0.25)
        await until(lambda: cache.get(RECORD))
        assert await cache.get(RECORD) == 0.25

    run(valkey.url, test, credentials=Password())
    denied = valkey.client.execute_command("ACL", "LOG")
    assert denied == []
    user = Redis(port=valkey.port, username="nightjar-rides", password="secret")
    for command in (("KEYS", "*"), ("FLUSHALL",), ("GET", "another")):
        with pytest.raises(NoPermissionError):
            user.execute_command(*command)


def test_models_do_not_share_answers(valkey: Valkey):
    async def one(cache: RedisCache) -> None:
        await connected(cache)
        cache.put(RECORD, 0.25)
        await until(lambda: cache.get(RECORD))

    async def other(cache: RedisCache) -> None:
        await connected(cache)
        assert await cache.get(RECORD) is None

    run(valkey.url, one)
    run(valkey.url, other, digest="e" * 64)


@pytest.mark.parametrize(
    "value", [b"", b"NaN", b"-0.1", b"1.1", b"1e999", b'"0.5"', b"null", b"true", b"[0.5]", b"\xff", b"0.5 x"]
)
def test_a_value_that_is_not_a_probability_is_ignored(valkey: Valkey, value: bytes):
    valkey.client.set(KEY, value)

    async def test(cache: RedisCache) -> None:
        await connected(cache)
        errors = cache.errors
        assert await cache.get(RECORD) is None
        assert (cache.hits, cache.errors) == (0, errors + 1)

    run(valkey.url, test)


def test_a_refused_command_is_an_error_and_the_others_are_answered(valkey: Valkey):
    valkey.client.lpush(KEY, "a list")

    async def test(cache: RedisCache) -> None:
        await connected(cache)
        errors, misses = cache.errors, cache.misses
        assert await asyncio.gather(cache.get(RECORD), cache.get({"other": 1})) == [None, None]
        assert (cache.errors, cache.misses) == (errors + 1, misses + 1)

    run(valkey.url, test)


def test_concurrent_requests_share_round_trips(valkey: Valkey):
    records = [{"text_length": float(i), "num_keywords": 3} for i in range(200)]

    async def test(cache: RedisCache) -> None:
        await connected(cache)
        for index, record in enumerate(records):
            cache.put(record, index / 200)
        await until(lambda: cache.get(records[-1]))
        valkey.client.config_resetstat()
        answers = await asyncio.gather(*map(cache.get, records))
        assert answers == [index / 200 if answer is not None else None for index, answer in enumerate(answers)]
        assert valkey.client.info("clients")["connected_clients"] == 2  # the cache and this test

    run(valkey.url, test)


def test_the_queue_is_bounded(valkey: Valkey, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(redis_cache, "PENDING", 10)

    async def test(cache: RedisCache) -> None:
        await connected(cache)
        for index in range(100):
            cache.put({"x": index}, 0.5)
        await asyncio.gather(*(cache.get({"x": index}) for index in range(100)))
        assert cache.skipped >= 90

    run(valkey.url, test)
    assert valkey.client.dbsize() <= 20


def test_a_suspended_server_is_hardly_asked_and_is_used_again_afterwards(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
):
    # Each request waits for a suspended server. A late answer does no harm here.
    be_patient(monkeypatch, 20)
    monkeypatch.setattr(redis_cache, "CONNECT_SECONDS", 0.1)

    async def test(cache: RedisCache) -> None:
        await connected(cache)
        cache.put(RECORD, 0.5)
        await until(lambda: cache.get(RECORD))
        before, skipped = asked(cache), cache.skipped
        valkey.signal(signal.SIGSTOP)
        for _ in range(2000):
            assert await cache.get(RECORD) is None
            cache.put(RECORD, 0.75)
            await asyncio.sleep(0)
        assert asked(cache) - before <= MAX_ASKED
        assert cache.skipped - skipped >= 2000 - MAX_ASKED
        valkey.signal(signal.SIGCONT)
        await until(lambda: cache.get(RECORD))

    run(valkey.url, test)


def test_a_killed_server_fails_no_request_and_is_used_again(valkey: Valkey):
    async def test(cache: RedisCache) -> None:
        await connected(cache)
        gone = asyncio.Event()
        answers: list[float | None] = []

        async def caller() -> None:
            while not gone.is_set():
                answers.append(await cache.get(RECORD))
                cache.put(RECORD, 0.5)
                await asyncio.sleep(0)

        callers = [asyncio.create_task(caller()) for _ in range(8)]
        await until(lambda: cache.get(RECORD))
        valkey.kill()
        before = asked(cache)
        await asyncio.sleep(0.5)
        gone.set()
        await asyncio.gather(*callers)
        assert set(answers) == {None, 0.5}
        # The requests in progress when it died, and none after.
        assert asked(cache) - before <= 2 * len(callers)
        valkey.start()
        await connected(cache)
        cache.put(RECORD, 0.25)
        await until(lambda: cache.get(RECORD))

    run(valkey.url, test)


def test_a_slow_server_is_not_used(caplog: pytest.LogCaptureFixture):
    gets = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal gets
        while line := await reader.readline():
            if line.strip().upper() == b"PING":
                writer.write(b"+PONG\r\n")
            elif line.strip().upper() == b"GET":
                gets += 1
                await asyncio.sleep(4 * WAIT_SECONDS)
                writer.write(b"$3\r\n0.5\r\n")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        cache = RedisCache(f"redis://127.0.0.1:{port}", DIGEST)

        async def used() -> bool:
            await cache.get(RECORD)
            return "not used for now" in caplog.text

        await until(used)
        before = cache.skipped
        for _ in range(1000):
            assert await cache.get(RECORD) is None
        assert cache.skipped == before + 1000
        assert gets <= 2 * FAILURES and cache.hits == 0
        await cache.close()
        server.close()

    asyncio.run(main())
    assert caplog.text.count("not used for now") == 1


def test_a_server_that_does_not_listen():
    async def test(cache: RedisCache) -> None:
        for _ in range(100):
            assert await cache.get(RECORD) is None
            cache.put(RECORD, 0.5)
            await asyncio.sleep(0)
        assert (asked(cache), cache.skipped) == (0, 100)

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        run(f"redis://127.0.0.1:{bound.getsockname()[1]}", test)


def test_after_close_nothing_is_asked(valkey: Valkey):
    async def main() -> None:
        cache = RedisCache(valkey.url, DIGEST)
        await connected(cache)
        waiting = asyncio.create_task(cache.get(RECORD))
        await asyncio.sleep(0)
        await cache.close()
        assert await waiting is None and await cache.get(RECORD) is None
        cache.put(RECORD, 0.5)

    asyncio.run(main())
