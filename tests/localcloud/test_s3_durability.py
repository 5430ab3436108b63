"""What S3 acknowledged is there after the server was killed, whole; what it did not acknowledge leaves nothing."""

from __future__ import annotations

import hashlib
import os
import random
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from infra.laptop.free_ports import free_port
from infra.localcloud.s3 import objects
from infra.localcloud.s3.errors import StoreError
from infra.localcloud.s3.store import Store, now
from tests.support.localcloud import Cloud, base_config, running_cloud

KILLS = 4
WRITERS = 4
BUCKET = "kill-bucket"


def client(cloud: Cloud) -> Any:
    config = ClientConfig(
        retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20, s3={"addressing_style": "path"}
    )
    return cloud.client("s3", config=config)


class Writer(threading.Thread):
    """Puts, deletes, multiparts and policies until the server dies, and remembers what was acknowledged."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        super().__init__(daemon=True)
        self.s3 = client(cloud)
        self.prefix = name
        self.sure: dict[str, str | None] = {}
        self.unsure: set[str] = set()

    def run(self) -> None:
        chooser = random.Random(self.prefix)
        for number in range(100_000):
            key = f"{self.prefix}/{number % 40}"
            body = os.urandom(chooser.choice([10, 5_000, 300_000]))
            self.unsure.add(key)
            try:
                self.write(chooser.random(), key, body)
            except (BotoCoreError, ClientError):
                return
            self.unsure.discard(key)

    def write(self, chance: float, key: str, body: bytes) -> None:
        if chance < 0.2:
            self.s3.delete_object(Bucket=BUCKET, Key=key)
            self.sure[key] = None
            return
        if chance < 0.4:
            upload = self.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
            part = {"Bucket": BUCKET, "Key": key, "UploadId": upload}
            etag = self.s3.upload_part(PartNumber=1, Body=body, **part)["ETag"]
            parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
            self.s3.complete_multipart_upload(MultipartUpload=parts, **part)
        else:
            self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.sure[key] = hashlib.sha256(body).hexdigest()


def are_at_work(writers: list[Writer]) -> bool:
    """Whether each has had answers."""
    return all(len(writer.sure) > 1 for writer in writers)


@pytest.mark.stack
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    config = {**base_config(), "port": free_port()}
    acknowledged: dict[str, str | None] = {}
    unsure: set[str] = set()
    for turn in range(KILLS):
        with running_cloud(tmp_path, config) as cloud:
            s3 = client(cloud)
            s3.create_bucket(Bucket=BUCKET)
            check(s3, acknowledged, unsure)
            writers = [Writer(cloud, f"{turn}-{number}") for number in range(WRITERS)]
            for writer in writers:
                writer.start()
            cloud.wait_until(partial(are_at_work, writers))
            threading.Event().wait(random.Random(turn).uniform(0.3, 1.2))
            cloud.process.kill()
            cloud.process.wait()
            for writer in writers:
                writer.join(60)
                acknowledged |= writer.sure
                unsure |= writer.unsure
    with running_cloud(tmp_path, config) as cloud:
        check(client(cloud), acknowledged, unsure)
        named = stored_names(cloud.state / "s3")
        assert {path.name for path in (cloud.state / "s3" / "bodies").glob("*/*")} == named
    assert len(acknowledged) > 20


def check(s3: Any, acknowledged: dict[str, str | None], unsure: set[str]) -> None:
    """Every acknowledged key is as it was written last; every object is whole."""
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=BUCKET, Key=entry["Key"])["Body"].read()
            assert len(body) == entry["Size"]
            found[entry["Key"]] = hashlib.sha256(body).hexdigest()
    for key, digest in acknowledged.items():
        if key not in unsure:
            assert found.get(key) == digest, key


def stored_names(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "index.db") as db:
        rows = db.execute("SELECT body FROM object WHERE body IS NOT NULL UNION SELECT body FROM part").fetchall()
    return {row[0] for row in rows}


@pytest.mark.stack
def test_everything_survives_a_restart(tmp_path: Path) -> None:
    config = {**base_config(), "port": free_port()}
    with running_cloud(tmp_path, config) as cloud:
        s3 = client(cloud)
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
        versions = [s3.put_object(Bucket=BUCKET, Key="k", Body=str(n).encode())["VersionId"] for n in range(2)]
        s3.put_object_tagging(Bucket=BUCKET, Key="k", Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
        marker = s3.delete_object(Bucket=BUCKET, Key="k")["VersionId"]
        upload = s3.create_multipart_upload(Bucket=BUCKET, Key="m")["UploadId"]
        place = {"Bucket": BUCKET, "Key": "m", "UploadId": upload}
        etag = s3.upload_part(PartNumber=1, Body=b"part", **place)["ETag"]
        token = s3.list_objects_v2(Bucket=BUCKET)["IsTruncated"]
        assert token is False
        cloud.process.kill()
    with running_cloud(tmp_path, config) as cloud:
        s3 = client(cloud)
        assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
        assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == [{"Key": "a", "Value": "1"}]
        assert s3.list_object_versions(Bucket=BUCKET)["DeleteMarkers"][0]["VersionId"] == marker
        assert s3.get_object(Bucket=BUCKET, Key="k", VersionId=versions[0])["Body"].read() == b"0"
        tags = s3.get_object_tagging(Bucket=BUCKET, Key="k", VersionId=versions[1])["TagSet"]
        assert tags == [{"Key": "b", "Value": "2"}]
        s3.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}, **place)
        assert s3.get_object(Bucket=BUCKET, Key="m")["Body"].read() == b"part"


def test_garbage_of_unfinished_writes_goes_at_the_start(tmp_path: Path) -> None:
    store = Store(tmp_path / "s3")
    with store.write() as transaction:
        transaction.db.execute(
            "INSERT INTO bucket (name, account, region, created) VALUES ('b', '1', 'r', ?)", (now(),)
        )
    names = []
    for _ in range(2):
        with store.bodies.create() as body:
            body.write(b"x")
            names.append(body.keep())
    with store.write() as transaction:
        new = objects.NewObject("k", 1, "e", names[0])
        objects.put(transaction, store.bucket("b", transaction.db), new, objects.Conditions())
    store.index.close()
    Store(tmp_path / "s3").index.close()
    assert [path.name for path in (tmp_path / "s3" / "bodies").glob("*/*")] == [names[0]]
    assert (tmp_path / "s3").stat().st_mode & 0o777 == 0o700


def test_an_unknown_or_damaged_index_is_refused_with_a_sentence(tmp_path: Path) -> None:
    store = Store(tmp_path / "s3")
    store.index.close()
    file = tmp_path / "s3" / "index.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="has version 99 of the schema, and this code knows version 1"):
        Store(tmp_path / "s3")
    for name in ("index.db-wal", "index.db-shm"):
        (tmp_path / "s3" / name).unlink(missing_ok=True)
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="cannot be read"):
        Store(tmp_path / "s3")
