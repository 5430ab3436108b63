"""infra/localcloud/clients.py."""

from __future__ import annotations

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

    def read(self: JSONFileLoader, path: str) -> None:
        pytest.fail(f"{path} is read again")

    monkeypatch.setattr(JSONFileLoader, "load_file", read)
    second = role_client({**KEYS, "AWS_ACCESS_KEY_ID": "another"}, "s3")
    urls = [client.generate_presigned_url("list_buckets") for client in (first, second)]
    assert "another" not in urls[0] and "another" in urls[1], "each client has keys of its own"
    assert all(url.startswith(KEYS["AWS_ENDPOINT_URL"]) for url in urls)
