"""The token is what AWS verifies: a request signed with the role's key, computed here a second time."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from serving.elasticache_iam import ElasticacheIam

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token=="


@pytest.fixture(autouse=True)
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


def signature(host: str, query: dict[str, str], secret: str = SECRET) -> str:
    """Signature Version 4 of a presigned GET, as its documentation says."""
    day = query["X-Amz-Date"][:8]
    scope = f"{day}/eu-central-1/elasticache/aws4_request"
    encoded = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(query.items()))
    empty = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n/\n{encoded}\nhost:{host}\n\nhost\n{empty}"
    text = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (day, "eu-central-1", "elasticache", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_the_token_is_a_signed_request_to_connect() -> None:
    user, token = ElasticacheIam("nightjar", "nightjar-rides").get_credentials()
    assert user == "nightjar-rides"
    assert token.startswith("nightjar/?")  # without a scheme, as ElastiCache asks
    query = {name: values[0] for name, values in parse_qs(urlsplit(f"http://{token}").query).items()}
    signed = query.pop("X-Amz-Signature")
    assert (query["Action"], query["User"], query["X-Amz-Expires"]) == ("connect", "nightjar-rides", "900")
    assert query["X-Amz-Security-Token"] == TOKEN
    assert signed == signature("nightjar", query)
    assert signed != signature("nightjar", query, secret="another")
    assert signed != signature("nightjar", query | {"User": "nightjar-texts"})


def test_every_connection_gets_its_own_user_and_token() -> None:
    iam = ElasticacheIam("nightjar", "nightjar-rides")
    user, token = asyncio.run(iam.get_credentials_async())
    assert (user, token[:10]) == ("nightjar-rides", "nightjar/?")


def test_without_credentials_the_error_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(RuntimeError, match="needs AWS credentials and a region"):
        ElasticacheIam("nightjar", "nightjar-rides").get_credentials()
