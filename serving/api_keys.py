"""API keys and rate limits of callers. Only hashes of keys are stored. ``python -m serving.api_keys`` makes a new key.

The secret that ``API_KEYS_SECRET`` names is
``{"callers": [{"name": "web", "keys_sha256": ["<hex>"], "per_second": 100, "burst": 200}]}``.
A caller may have several keys at once, so that a key can be replaced without interruption (docs/api-keys.md).
"""

from __future__ import annotations

import logging
import secrets
import sys
import threading
from hashlib import sha256
from typing import Annotated

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from include.errors import NightjarError
from serving import aws
from serving.settings import Settings

# Longer keys are not hashed: python -m serving.api_keys makes 46 characters.
LONGEST_KEY = 512
# A longer field name in the secret may be a key in the wrong place, so it is not logged.
LONGEST_LOGGED_NAME = 20

log = logging.getLogger(__name__)


class ApiKeysError(NightjarError, ValueError):
    """The secret cannot be read or is invalid. The text names the secret and the field, but none of its values."""


class CallerSpec(BaseModel):
    """One caller in the secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$", description="for logs and metrics")
    keys_sha256: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")], ...] = Field(min_length=1)
    per_second: float = Field(gt=0, le=1_000_000, description="requests per second, over all workers of a task")
    burst: float = Field(ge=1, le=1_000_000, description="requests at once after a pause, over all workers of a task")


class ApiKeysSpec(BaseModel):
    """The secret. An empty list of callers is invalid: it would lock out everybody."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    callers: tuple[CallerSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> ApiKeysSpec:
        names = [caller.name for caller in self.callers]
        if duplicates := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"callers.name: given twice: {', '.join(duplicates)}")
        seen: set[str] = set()
        for caller in self.callers:
            if not seen.isdisjoint(caller.keys_sha256):
                raise ValueError(f"callers.keys_sha256: a key of {caller.name} also belongs to another caller")
            seen.update(caller.keys_sha256)
        return self


class Caller:
    """One caller's token bucket in this worker. :meth:`limit` is for any thread, the rest for the event loop's.

    Args:
        name: The caller's name.
        per_second: Requests per second in the long run.
        burst: Requests at once after a pause.
    """

    def __init__(self, name: str, per_second: float, burst: float) -> None:
        self.name = name
        self._limit = (per_second, burst)
        self._tokens = burst
        self._updated = 0.0

    def limit(self, per_second: float, burst: float) -> None:
        """Changes the limit. Tokens that were used stay used."""
        self._limit = (per_second, burst)

    def admit(self, now: float) -> float:
        """Takes a token for one request.

        Args:
            now: Seconds of a monotonic clock.

        Returns:
            0.0 if the request is admitted, else the seconds until one would be.
        """
        per_second, burst = self._limit
        self._tokens = min(burst, self._tokens + max(0.0, now - self._updated) * per_second)
        self._updated = max(now, self._updated)
        if self._tokens < 1:
            return (1 - self._tokens) / per_second
        self._tokens -= 1
        return 0.0

    def give_back(self) -> None:
        """Returns the token of a request that will be admitted again."""
        self._tokens += 1


class ApiKeys:
    """The callers' keys. A daemon thread reads the secret again; if it fails, the last valid keys stay in force.

    Reads the secret once when it is made.

    Args:
        secret: Name or ARN of the secret.
        workers: Number of workers that share a caller's limit evenly.

    Raises:
        ApiKeysError: The secret cannot be read or is invalid.
    """

    def __init__(self, secret: str, workers: int) -> None:
        self._secret = secret
        self._workers = workers
        self._by_name: dict[str, Caller] = {}
        self._by_hash: dict[bytes, Caller] = {}
        self._text = ""
        self._closing = threading.Event()
        config = Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
        try:
            self._client = aws.session().client("secretsmanager", config=config)
        except (BotoCoreError, ValueError) as error:
            raise ApiKeysError(f"API_KEYS_SECRET: cannot make a client for Secrets Manager: {error}") from None
        self.refresh()

    @classmethod
    def open(cls, settings: Settings) -> ApiKeys | None:
        """Reads the secret now, and again every ``api_keys_refresh_seconds``.

        Call it in the worker: threads do not survive a fork.

        Returns:
            ``None`` if no secret is configured.

        Raises:
            ApiKeysError: The secret cannot be read or is invalid.
        """
        if settings.api_keys_secret is None:
            return None
        keys = cls(settings.api_keys_secret, settings.workers)
        interval = settings.api_keys_refresh_seconds
        threading.Thread(target=keys._refresh_regularly, args=(interval,), name="api-keys", daemon=True).start()
        return keys

    def identify(self, key: bytes | None) -> Caller | None:
        """Returns the caller to whom the key belongs, or ``None``.

        A fast hash is enough here, unlike for passwords: a key is 256 random bits, so there is no dictionary to try,
        and a slow hash would let strangers use up the CPU. The lookup compares digests, not keys: its duration may show
        how far two digests agree, but a sender can neither choose a digest nor derive its key.
        """
        if not key or len(key) > LONGEST_KEY:
            return None
        return self._by_hash.get(sha256(key).digest())

    def refresh(self) -> None:
        """Reads the secret.

        Raises:
            ApiKeysError: The secret cannot be read or is invalid; the keys are unchanged.
        """
        text = self._read()
        if text == self._text:
            return
        spec = parse(text, self._secret)
        by_name: dict[str, Caller] = {}
        by_hash: dict[bytes, Caller] = {}
        for one in spec.callers:
            # With a burst below 1 no request would ever be admitted.
            limit = one.per_second / self._workers, max(1.0, one.burst / self._workers)
            caller = self._by_name.get(one.name) or Caller(one.name, *limit)
            caller.limit(*limit)
            by_name[one.name] = caller
            by_hash.update((bytes.fromhex(digest), caller) for digest in one.keys_sha256)
        self._text, self._by_name, self._by_hash = text, by_name, by_hash
        log.info("The API keys were read", extra={"data": {one.name: len(one.keys_sha256) for one in spec.callers}})

    def close(self) -> None:
        """Asks the thread to end."""
        self._closing.set()

    def _refresh_regularly(self, interval: float) -> None:
        while not self._closing.wait(interval):
            try:
                self.refresh()
            except ApiKeysError as error:
                log.error("The last valid API keys stay in force. %s", error)  # noqa: TRY400 - the text has the reason
            except Exception:
                log.exception("The last valid API keys stay in force")

    def _read(self) -> str:
        try:
            answer = self._client.get_secret_value(SecretId=self._secret)
        except (BotoCoreError, ClientError) as error:
            raise ApiKeysError(f"API_KEYS_SECRET: the secret {self._secret} cannot be read: {error}") from None
        if "SecretString" not in answer:
            raise ApiKeysError(f"API_KEYS_SECRET: the secret {self._secret} is binary; it must be JSON text")
        return answer["SecretString"]


def parse(text: str, secret: str) -> ApiKeysSpec:
    """Parses and validates the secret's text.

    Raises:
        ApiKeysError: The text is invalid. The error names every invalid field and contains no value.
    """
    try:
        return ApiKeysSpec.model_validate_json(text)
    except ValidationError as error:
        lines = [f"{_place(e['loc'])}: {e['msg']}" if e["loc"] else e["msg"] for e in error.errors(include_input=False)]
        raise ApiKeysError(f"API_KEYS_SECRET: the secret {secret} is invalid: {'; '.join(lines)}") from None


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join("(a long name)" if len(str(part)) > LONGEST_LOGGED_NAME else str(part) for part in location)


def hash_key(key: str) -> str:
    """Returns a key's entry in ``keys_sha256``: its sha256 in lower-case hexadecimal."""
    return sha256(key.encode()).hexdigest()


def main() -> None:
    """Prints a new key and its hash."""
    key = "nj_" + secrets.token_urlsafe(32)
    sys.stdout.write(f"key, for the caller, shown only once:  {key}\n")
    sys.stdout.write(f"hash, for keys_sha256 of the secret:   {hash_key(key)}\n")


if __name__ == "__main__":
    main()
