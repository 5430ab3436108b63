"""Who may call, and how often: API keys, of which only hashes are kept. ``python -m serving.api_keys`` makes a new key.

The secret named by ``API_KEYS_SECRET`` is
``{"callers": [{"name": "web", "keys_sha256": ["<hex>"], "per_second": 100, "burst": 200}]}``.
A caller may have several keys at once, so that keys are replaced without a gap (docs/api-keys.md).
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from serving.settings import Settings

# Longer ones are not worth hashing: python -m serving.api_keys makes 46 characters.
LONGEST_KEY = 512

log = logging.getLogger(__name__)


class CallersError(ValueError):
    """The secret cannot be read or is wrong; the text names it, and the field at fault. It never holds what stands in it."""


class CallerSpec(BaseModel):
    """One caller, as the secret has it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$", description="for logs and metrics")
    keys_sha256: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")], ...] = Field(min_length=1)
    per_second: float = Field(gt=0, le=1_000_000, description="requests a second, over all processes of a task")
    burst: float = Field(
        ge=1, le=1_000_000, description="requests at once after a quiet time, over all processes of a task"
    )


class CallersSpec(BaseModel):
    """The secret. No caller at all is refused: it would lock everybody out."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    callers: tuple[CallerSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> CallersSpec:
        names = [caller.name for caller in self.callers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"callers.name: given twice: {', '.join(twice)}")
        seen: set[str] = set()
        for caller in self.callers:
            if not seen.isdisjoint(caller.keys_sha256):
                raise ValueError(f"callers.keys_sha256: a key of {caller.name} is another caller's too")
            seen.update(caller.keys_sha256)
        return self


class Caller:
    """One caller's token bucket in this process. For the event loop's thread; :meth:`limit` may come from another."""

    def __init__(self, name: str, per_second: float, burst: float) -> None:
        self.name = name
        self._limit = (per_second, burst)
        self._tokens = burst
        self._then = 0.0

    def limit(self, per_second: float, burst: float) -> None:
        """Another limit for the same bucket: what was used stays used."""
        self._limit = (per_second, burst)

    def admit(self, now: float) -> float:
        """0.0 when one more request may pass, else the seconds until it may. ``now``: seconds of a monotonic clock."""
        per_second, burst = self._limit
        self._tokens = min(burst, self._tokens + max(0.0, now - self._then) * per_second)
        self._then = max(now, self._then)
        if self._tokens < 1:
            return (1 - self._tokens) / per_second
        self._tokens -= 1
        return 0.0


class Callers:
    """The callers of this process. A daemon thread reads the secret again; where it cannot, the last good set stays in force."""

    def __init__(self, secret: str, processes: int) -> None:
        """Reads the secret once. ``processes`` share a caller's limit evenly. Errors: :class:`CallersError`."""
        self._secret = secret
        self._processes = processes
        self._by_name: dict[str, Caller] = {}
        self._by_hash: dict[bytes, Caller] = {}
        self._text = ""
        self._ended = threading.Event()
        config = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
        try:
            self._client = boto3.client("secretsmanager", config=config)
        except (BotoCoreError, ValueError) as error:
            raise CallersError(f"API_KEYS_SECRET: there is no client for Secrets Manager: {error}") from None
        self.refresh()

    @classmethod
    def open(cls, settings: Settings) -> Callers | None:
        """Reads, and keeps reading every ``api_keys_refresh_seconds``; None when no secret is configured.

        To be called in the process that serves: a thread does not survive a fork. Errors: :class:`CallersError`.
        """
        if settings.api_keys_secret is None:
            return None
        callers = cls(settings.api_keys_secret, settings.workers)
        every = settings.api_keys_refresh_seconds
        threading.Thread(target=callers._keep_fresh, args=(every,), name="callers", daemon=True).start()
        return callers

    def identify(self, key: bytes | None) -> Caller | None:
        """The caller whose key this is.

        A fast hash is right here, unlike for passwords: a key is 256 random bits, so there is no dictionary to try, and a slow
        hash would only let strangers burn this process's time. The lookup compares digests, not keys: its duration may tell how
        far two digests agree, but no sender can steer a digest towards a stored one, nor get from a digest to its key.
        """
        if key is None or len(key) > LONGEST_KEY:
            return None
        return self._by_hash.get(sha256(key).digest())

    def refresh(self) -> None:
        """Reads the secret. Errors: :class:`CallersError`, and nothing has changed."""
        text = self._read()
        if text == self._text:
            return
        spec = parse(text, self._secret)
        by_name: dict[str, Caller] = {}
        by_hash: dict[bytes, Caller] = {}
        for one in spec.callers:
            # A burst below one request would let nothing pass, ever.
            limit = one.per_second / self._processes, max(1.0, one.burst / self._processes)
            caller = self._by_name.get(one.name) or Caller(one.name, *limit)
            caller.limit(*limit)
            by_name[one.name] = caller
            by_hash.update((bytes.fromhex(digest), caller) for digest in one.keys_sha256)
        self._text, self._by_name, self._by_hash = text, by_name, by_hash
        log.info("The API keys were read", extra={"data": {one.name: len(one.keys_sha256) for one in spec.callers}})

    def close(self) -> None:
        """Ends the thread at its next turn."""
        self._ended.set()

    def _keep_fresh(self, every: float) -> None:
        while not self._ended.wait(every):
            try:
                self.refresh()
            except Exception as error:
                known = isinstance(error, CallersError)
                log.error("The last good API keys stay in force. %s", error, exc_info=None if known else error)

    def _read(self) -> str:
        try:
            answer: Mapping[str, Any] = self._client.get_secret_value(SecretId=self._secret)
        except (BotoCoreError, ClientError) as error:
            raise CallersError(f"API_KEYS_SECRET: the secret {self._secret} cannot be read: {error}") from None
        if "SecretString" not in answer:
            raise CallersError(f"API_KEYS_SECRET: the secret {self._secret} is binary; it must be JSON text")
        return answer["SecretString"]


def parse(text: str, secret: str) -> CallersSpec:
    """The secret's content. Errors: :class:`CallersError` that names every field at fault, and quotes none."""
    try:
        return CallersSpec.model_validate_json(text)
    except ValidationError as error:
        lines = [f"{_place(e['loc'])}: {e['msg']}" if e["loc"] else e["msg"] for e in error.errors(include_input=False)]
        raise CallersError(f"API_KEYS_SECRET: the secret {secret} is wrong: {'; '.join(lines)}") from None


def _place(location: tuple[int | str, ...]) -> str:
    """A field's path. A long name is no field of ours: it may be a key that was put in the wrong place, and is not shown."""
    return ".".join("(a long name)" if len(str(part)) > 20 else str(part) for part in location)


def hash_key(key: str) -> str:
    """What stands in ``keys_sha256`` for a key: its sha256 in lower-case hexadecimal."""
    return sha256(key.encode()).hexdigest()


def main() -> None:
    key = "nj_" + secrets.token_urlsafe(32)
    print(f"key, for the caller, shown this once:  {key}")
    print(f"hash, for keys_sha256 of the secret:   {hash_key(key)}")


if __name__ == "__main__":
    main()
