"""Sessions of the service read the descriptions of AWS's services once."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.loaders import JSONFileLoader

from serving import aws

OPTIONS: dict[str, Any] = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}


def test_a_second_session_reads_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    load = JSONFileLoader.load_file

    def counting(self: JSONFileLoader, file_path: str) -> Any:
        found = load(self, file_path)
        if found is not None:
            read.append(file_path)
        return found

    monkeypatch.setattr(JSONFileLoader, "load_file", counting)
    first, second = (cast(Any, aws.session()) for _ in range(2))  # the stubs have no options of unknown types
    first.client("kinesis", **OPTIONS)
    before = len(read)
    assert second.client("kinesis", **OPTIONS).meta.region_name == "us-east-1"
    assert len(read) == before
    second.client("sts", **OPTIONS)
    assert [path for path in read[before:] if "/sts/" not in path] == []


def test_sessions_have_credentials_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = []
    for key in ("one", "two"):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        found = aws.session().get_credentials()
        assert found is not None
        keys.append(found.access_key)
    assert keys == ["one", "two"]
