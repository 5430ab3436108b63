"""infra/localcloud/clients.py."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.loaders import JSONFileLoader

from infra.localcloud.clients import role_client

KEYS = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
}


def test_a_second_client_of_a_service_reads_its_description_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    first = role_client(KEYS, "s3")

    def read(self: JSONFileLoader, path: str, open_method: Any) -> None:
        pytest.fail(f"{path} is read again")

    monkeypatch.setattr(JSONFileLoader, "_load_file", read)
    second = role_client({**KEYS, "AWS_ACCESS_KEY_ID": "another"}, "s3")
    assert second is not first and second.meta.endpoint_url == KEYS["AWS_ENDPOINT_URL"]
    assert [client._request_signer._credentials.access_key for client in (first, second)] == ["key", "another"]
