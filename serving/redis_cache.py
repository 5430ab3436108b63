"""The second-level cache: predictions that any worker computed, in Redis (or Valkey), by model and record.

A request waits for it at most :data:`WAIT_SECONDS`, whatever state Redis is in. One asyncio task holds the only
connection and sends what has gathered since its last round trip as one pipeline; a request waits only for its own
answer. Connecting happens in that task too, so a slow TLS handshake delays no request. After :data:`FAILURES` failures
in a row, Redis is not used for :data:`PAUSE_SECONDS`, then tried again with one connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.credentials import CredentialProvider

from serving.cache import record_key

WAIT_SECONDS = 0.005
# Longer than a request waits: a busy event loop reads answers late, which is not a failure of Redis.
ROUND_TRIP_SECONDS = 10 * WAIT_SECONDS
CONNECT_SECONDS = 1.0
FAILURES = 3
PAUSE_SECONDS = 5.0
PENDING = 1000
# Longer than a version is live: entries of replaced models expire.
KEEP_SECONDS = 7 * 86_400

log = logging.getLogger(__name__)


class RedisCache:
    """Probabilities in Redis. Make and use it inside a running event loop. No method raises.

    Args:
        url: ``redis://`` or ``rediss://`` (TLS).
        bundle_digest: Digest of the served bundle; part of every key.
        credentials: Gives user and password of each connection; ``None``: those of the URL, if any.

    Attributes:
        hits: Lookups that found a probability in time.
        misses: Lookups that were answered in time, but found nothing.
        errors: Lookups that were not answered in time, or not with a probability.
        skipped: Lookups that were not sent, because there was no usable connection.
    """

    def __init__(self, url: str, bundle_digest: str, credentials: CredentialProvider | None = None) -> None:
        # The library's own retries (three by default, with pauses) would happen while requests wait.
        self._redis: Redis = Redis.from_url(
            url,
            decode_responses=False,
            credential_provider=credentials,
            retry=Retry(NoBackoff(), 0),
            max_connections=1,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_keepalive=True,
            lib_name=None,
            lib_version=None,
        )
        self._prefix = f"nightjar:{bundle_digest}:"
        self.hits = self.misses = self.errors = self.skipped = 0
        self._usable = False
        self._failures = 0
        self._gets: deque[tuple[str, asyncio.Future[bytes | None]]] = deque()
        self._puts: deque[tuple[str, bytes]] = deque(maxlen=PENDING)
        self._work = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="redis")

    async def get(self, record: Mapping[str, Any]) -> float | None:
        """Returns the probability of a clean record, or ``None``."""
        if not self._usable or len(self._gets) >= PENDING:
            self.skipped += 1
            return None
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._gets.append((self._key(record), answer))
        self._work.set()
        await asyncio.wait([answer], timeout=WAIT_SECONDS)
        if not answer.done():
            answer.cancel()
        if answer.cancelled():
            self.errors += 1
            return None
        if answer.result() is None:
            self.misses += 1
            return None
        probability = _probability(answer.result())
        if probability is None:
            self.errors += 1
        else:
            self.hits += 1
        return probability

    def put(self, record: Mapping[str, Any], probability: float) -> None:
        """Stores a probability in the background. When :data:`PENDING` of them wait, the oldest is dropped."""
        if self._usable:
            self._puts.append((self._key(record), msgspec.json.encode(probability)))
            self._work.set()

    async def close(self) -> None:
        """Ends the task and the connection. Waiting lookups return ``None``."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def _key(self, record: Mapping[str, Any]) -> str:
        return self._prefix + sha256(record_key(record)).hexdigest()

    async def _run(self) -> None:
        try:
            while True:
                try:
                    await self._connect()
                    while True:
                        await self._round_trip()
                except Exception as error:  # whatever it is, requests are answered without the cache
                    self._failures += 1
                    self._drop()
                    await self._disconnect()
                    if self._failures == FAILURES:  # once per outage
                        log.warning("The Redis cache is not used for now: %r", error)
                    if self._failures >= FAILURES:
                        await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._drop()
            await self._disconnect()

    async def _connect(self) -> None:
        async with asyncio.timeout(2 * CONNECT_SECONDS):
            await self._redis.ping()
        # A server that answers too late is of no use.
        async with asyncio.timeout(ROUND_TRIP_SECONDS):
            await self._redis.ping()
        self._usable = True
        log.info("The Redis cache is in use")

    async def _round_trip(self) -> None:
        """Sends what is waiting and delivers the answers. Raises what the connection raises, or ``TimeoutError``."""
        await self._work.wait()
        self._work.clear()
        gets, self._gets = self._gets, deque()
        puts, self._puts = self._puts, deque(maxlen=PENDING)
        try:
            values = await self._execute([key for key, _ in gets], puts)
        except BaseException:
            _cancel(gets)
            raise
        if gets and all(answer.cancelled() for _, answer in gets):
            raise TimeoutError(f"no answer within {WAIT_SECONDS} s")
        for (_, answer), value in zip(gets, values, strict=False):
            self._failures = 0
            if not answer.done():
                # A refused command is an exception here. Empty bytes make it an error, not a miss.
                answer.set_result(b"" if isinstance(value, Exception) else value)

    async def _execute(self, gets: Iterable[str], puts: Iterable[tuple[str, bytes]]) -> list[Any]:
        """Returns the values of the keys, then the answers to the puts. A failed command's error is in its place."""
        pipeline = self._redis.pipeline(transaction=False)
        for key in gets:
            pipeline.get(key)
        for key, value in puts:
            pipeline.set(key, value, ex=KEEP_SECONDS)
        async with asyncio.timeout(ROUND_TRIP_SECONDS):
            return await pipeline.execute(raise_on_error=False)

    def _drop(self) -> None:
        self._usable = False
        _cancel(self._gets)
        self._gets.clear()
        self._puts.clear()

    async def _disconnect(self) -> None:
        try:
            await self._redis.connection_pool.disconnect()
        except Exception as error:
            log.debug("Closing the connection to Redis failed: %s", error)


def _cancel(gets: deque[tuple[str, asyncio.Future[bytes | None]]]) -> None:
    for _, answer in gets:
        answer.cancel()


def _probability(value: Any) -> float | None:
    """Content of Redis is not trusted: only a number from 0 to 1 is a probability."""
    try:
        probability = msgspec.json.decode(value, type=float)
    except (msgspec.MsgspecError, TypeError):
        return None
    return probability if 0 <= probability <= 1 else None
