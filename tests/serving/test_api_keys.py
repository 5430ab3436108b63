from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.api_keys import ApiKeys, ApiKeysError, Caller, hash_key, parse
from tests.support.moto_cloud import MotoCloud
from tests.support.service import eventually
from tests.support.serving_state import make_settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "nightjar/callers"
OLD, NEW, OTHER = b"nj_old", b"nj_new", b"nj_other"


def web(*keys: bytes, **changes: Any) -> dict[str, Any]:
    hashes = [hash_key(key.decode()) for key in keys or (OLD,)]
    return {"name": "web", "keys_sha256": hashes, "per_second": 100, "burst": 200, **changes}


def secret(*callers: dict[str, Any]) -> str:
    return json.dumps({"callers": callers})


def opened(**changes: Any) -> ApiKeys:
    """The keys of the secret, read again and again."""
    keys = ApiKeys.open(make_settings(**{"api_keys_secret": SECRET, **changes}))
    assert keys is not None
    return keys


def caller_of(keys: ApiKeys, key: bytes) -> Caller:
    """The caller, who must be known."""
    caller = keys.identify(key)
    assert caller is not None
    return caller


@pytest.fixture
def write(cloud: MotoCloud) -> Callable[[str], object]:
    """Secrets Manager; ``write(text)`` sets the secret."""
    secrets = cloud.client("secretsmanager")
    secrets.create_secret(Name=SECRET, SecretString="{}")
    return lambda text: secrets.put_secret_value(SecretId=SECRET, SecretString=text)


def until(condition: Callable[[], Any]) -> None:
    assert eventually(condition)


def test_without_a_secret_no_key_is_needed():
    assert ApiKeys.open(make_settings()) is None


@pytest.mark.stack
def test_any_key_of_a_caller_identifies_it(write: Callable[[str], object]):
    write(secret(web(OLD, NEW), web(OTHER, name="batch")))
    keys = ApiKeys(SECRET, 1)
    assert caller_of(keys, OLD) is caller_of(keys, NEW)
    assert (caller_of(keys, OLD).name, caller_of(keys, OTHER).name) == ("web", "batch")
    for stranger in (None, b"", b"nj_ol", b"nj_old ", hash_key("nj_old").encode(), b"\xff\x00", OLD * 1000):
        assert keys.identify(stranger) is None


@pytest.mark.stack
def test_an_empty_key_is_nobodys_even_if_its_hash_is_in_the_secret(write: Callable[[str], object]):
    """The hash of an unset shell variable is soon in a secret."""
    write(secret(web(OLD, b"")))
    assert ApiKeys(SECRET, 1).identify(b"") is None


@pytest.mark.stack
def test_keys_are_rotated_without_a_restart(write: Callable[[str], object]):
    write(secret(web(OLD)))
    keys = ApiKeys(SECRET, 1)
    write(secret(web(OLD, NEW)))
    keys.refresh()
    assert caller_of(keys, OLD) is caller_of(keys, NEW)
    write(secret(web(NEW)))
    keys.refresh()
    assert keys.identify(OLD) is None and caller_of(keys, NEW).name == "web"


@pytest.mark.stack
def test_the_bucket_survives_a_refresh(write: Callable[[str], object]):
    write(secret(web(per_second=1, burst=2)))
    keys = ApiKeys(SECRET, 1)
    assert [caller_of(keys, OLD).admit(0.0) for _ in range(3)] == [0.0, 0.0, 1.0]
    write(secret(web(OLD, NEW, per_second=2, burst=10)))
    keys.refresh()
    assert caller_of(keys, NEW).admit(0.0) == 0.5


@pytest.mark.stack
def test_workers_share_a_limit(write: Callable[[str], object]):
    write(secret(web(per_second=8, burst=8), web(OTHER, name="slow", per_second=1, burst=1)))
    keys = ApiKeys(SECRET, 4)
    assert [caller_of(keys, OLD).admit(0.0) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert [caller_of(keys, OTHER).admit(0.0) for _ in range(2)] == [0.0, 4.0]


@pytest.mark.stack
def test_an_invalid_secret_leaves_the_last_valid_keys_in_force(
    write: Callable[[str], object], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    write(secret(web(OLD)))
    keys = opened(api_keys_refresh_seconds=1)
    write('{"callers": []}')
    until(lambda: "callers: Tuple should have at least 1 item" in caplog.text)
    assert "The last valid API keys stay in force" in caplog.text
    assert caller_of(keys, OLD).name == "web"
    write(secret(web(NEW)))
    until(lambda: keys.identify(NEW))
    assert keys.identify(OLD) is None
    keys.close()
    assert not any(text in caplog.text for text in ("nj_old", "nj_new", hash_key("nj_old"), hash_key("nj_new")))


@pytest.mark.stack
def test_a_secret_that_cannot_be_read_or_is_invalid_ends_the_start(write: Callable[[str], object]):
    with pytest.raises(ApiKeysError, match=r"API_KEYS_SECRET: the secret none cannot be read: .*ResourceNotFound"):
        opened(api_keys_secret="none")
    boto3.client("secretsmanager").create_secret(Name="binary", SecretBinary=b"{}")
    with pytest.raises(ApiKeysError, match="binary is binary; it must be JSON text"):
        opened(api_keys_secret="binary")
    with pytest.raises(ApiKeysError, match="callers: Field required"):
        opened()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ('{"callers": []}', "callers: Tuple should have at least 1 item"),
        ('{"callers": [], "more": 1}', "more: Extra inputs are not permitted"),
        ('{"callers": [], "nj_clear_%s": 1}' % ("x" * 40), "(a long name): Extra inputs are not permitted"),
        (secret(web(per_second=0)), "callers.0.per_second: Input should be greater than 0"),
        (secret(web(per_second=float("nan"))), "callers.0.per_second: "),
        (secret(web(per_second="100")), "callers.0.per_second: Input should be a valid number"),
        (secret(web(burst=0.5)), "callers.0.burst: Input should be greater than or equal to 1"),
        (secret(web(name="the web")), "callers.0.name: String should match"),
        (secret(web(keys_sha256=[])), "callers.0.keys_sha256: Tuple should have at least 1 item"),
        (secret(web(keys_sha256=["nj_clear"])), "callers.0.keys_sha256.0: String should match"),
        (secret(web(), web(NEW)), "callers.name: given twice: web"),
        (secret(web(), web(name="batch")), "callers.keys_sha256: a key of batch also belongs to another caller"),
    ],
)
def test_an_invalid_field_is_named_and_its_value_is_not(text: str, message: str):
    with pytest.raises(ApiKeysError) as caught:
        parse(text, SECRET)
    error = str(caught.value)
    assert error.startswith(f"API_KEYS_SECRET: the secret {SECRET} is invalid: ") and message in error
    assert "nj_clear" not in error


@given(st.floats(0.5, 500), st.integers(1, 50), st.lists(st.floats(0, 2), min_size=1, max_size=200))
def test_no_more_requests_are_admitted_than_the_limit_allows(per_second: float, burst: int, gaps: list[float]):
    caller, now, admitted = Caller("web", per_second, burst), 1000.0, 0
    for gap in gaps:
        now += gap
        wait = caller.admit(now)
        admitted += wait == 0
        assert 0 <= wait <= 1 / per_second
        assert admitted <= burst + (now - 1000.0) * per_second + 1e-6
        if wait:
            assert caller.admit(now + wait * 1.001 + 1e-9) == 0
            now, admitted = now + wait * 1.001 + 1e-9, admitted + 1


def test_a_clock_that_stops_or_steps_back_admits_no_more():
    caller = Caller("web", 1, 1)
    assert [caller.admit(now) for now in (10.0, 10.0, 9.0, 10.0)] == [0.0, 1.0, 1.0, 1.0]


def test_a_new_key_is_printed_with_its_hash_and_never_the_same():
    keys = set()
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "serving.api_keys"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        key, digest = (line.split()[-1] for line in done.stdout.splitlines())
        assert hash_key(key) == digest and len(key) >= 43
        keys.add(key)
    assert len(keys) == 2
