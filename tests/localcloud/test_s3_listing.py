"""infra/localcloud/s3/listing.py against a plain model of S3's listings, and the listings as a client reads them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from infra.localcloud.s3 import listing, objects
from infra.localcloud.s3.store import Bucket, Store, now
from tests.support.s3_buckets import error_code, new_bucket

KEYS = 400


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Bucket, list[bytes]]:
    """A bucket of random keys, some of them hidden by delete markers."""
    store = Store(tmp_path_factory.mktemp("s3"))
    with store.write() as transaction:
        transaction.db.execute(
            "INSERT INTO bucket (name, account, region, created, versioning) VALUES ('b', '1', 'r', ?, 'Enabled')",
            (now(),),
        )
    bucket = store.bucket("b")
    chooser = random.Random(7)
    keys = {"".join(chooser.choices("ab/ü\U0010ffff", k=chooser.randint(1, 6))) for _ in range(KEYS)}
    hidden = set(chooser.sample(sorted(keys), KEYS // 8))
    with store.write() as transaction:
        for key in sorted(keys):
            for _ in range(chooser.randint(1, 3)):
                objects.put(transaction, bucket, objects.NewObject(key, 0, "e", ""), objects.Conditions())
            if key in hidden:
                objects.delete(transaction, bucket, key)
    return store, bucket, sorted(key.encode() for key in keys - hidden)


def expected(keys: list[bytes], prefix: bytes, delimiter: bytes, after: bytes) -> list[bytes]:
    """S3's rule: keys and common prefixes above ``after``, in order, each once."""
    found = set()
    for key in keys:
        if key.startswith(prefix):
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            found.add(key if end < 0 else key[: end + len(delimiter)])
    return sorted(name for name in found if name > after)


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
@pytest.mark.parametrize("delimiter", [b"", b"/", b"a", b"b/"])
def test_pages_are_those_of_the_model(filled: Any, delimiter: bytes, limit: int) -> None:
    store, bucket, keys = filled
    for prefix in (b"", b"a", b"a/", "ü".encode(), b"none", "\U0010ffff".encode()):
        for start in (b"", b"a/", b"ab", b"b/a"):
            wanted = expected(keys, prefix, delimiter, start)
            found: list[bytes] = []
            after = start
            with store.index.read() as db:
                while True:
                    page = listing.objects(db, bucket, prefix, delimiter, after or None, limit)
                    found += sorted([row["key"] for row in page.rows] + page.prefixes)
                    assert len(page.rows) + len(page.prefixes) <= limit
                    if not page.truncated:
                        break
                    after = page.last
            assert found == wanted, (prefix, start)


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
@pytest.mark.parametrize("delimiter", [b"", b"/"])
def test_versions_are_all_listed_once(filled: Any, delimiter: bytes, limit: int) -> None:
    store, bucket, _ = filled
    with store.index.read() as db:
        rows = db.execute("SELECT key, id FROM object ORDER BY key, id DESC").fetchall()
        wanted = [(row["key"], row["id"]) for row in rows if not delimiter or delimiter not in row["key"]]
        found: list[tuple[bytes, int]] = []
        key: bytes | None = None
        version: int | None = None
        while True:
            page = listing.versions(db, bucket, b"", delimiter, key, version, limit)
            found += [(row["key"], row["id"]) for row in page.rows]
            if not page.truncated:
                break
            key, version = page.last, page.last_row["id"] if page.last_row else None
    assert found == wanted


def test_a_page_reads_no_more_than_it_needs(filled: Any) -> None:
    """The plan has no sort and no scan: each page is a step down the index."""
    store, bucket, _ = filled
    with store.index.read() as db:
        for query, values in (
            (listing.LISTED, (bucket.id, b"a", 10)),
            (listing.VERSIONS, (bucket.id, b"a", 10)),
        ):
            plan = " ".join(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values))
            assert "SEARCH object USING INDEX" in plan
            assert "SCAN" not in plan
            assert "TEMP B-TREE" not in plan


@pytest.mark.stack
def test_listings_as_a_client_reads_them(cloud: Any) -> None:
    s3 = cloud.client("s3")
    bucket = new_bucket(s3)
    keys = ["a/1", "a/2", "b c/+&<>", "d", "e\x01", "ü/x"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for name in ("list_objects", "list_objects_v2"):
        for size in (1, 2, 1000):
            pages = s3.get_paginator(name).paginate(Bucket=bucket, PaginationConfig={"PageSize": size})
            assert [entry["Key"] for page in pages for entry in page.get("Contents", [])] == keys
            grouped = list(
                s3.get_paginator(name).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size})
            )
            assert [entry["Prefix"] for page in grouped for entry in page.get("CommonPrefixes", [])] == [
                "a/",
                "b c/",
                "ü/",
            ]
            assert [entry["Key"] for page in grouped for entry in page.get("Contents", [])] == ["d", "e\x01"]
    page = s3.list_objects_v2(Bucket=bucket, Prefix="a/", StartAfter="a/1", FetchOwner=True)
    assert ([entry["Key"] for entry in page["Contents"]], page["KeyCount"], page["StartAfter"]) == (["a/2"], 1, "a/1")
    assert page["Contents"][0]["Owner"]["ID"]
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    assert error_code(s3.list_objects_v2, Bucket=bucket, ContinuationToken="wrong") == "InvalidArgument"
    assert error_code(s3.list_objects_v2, Bucket="no-such-bucket") == "NoSuchBucket"
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [entry["Key"] for page in pages for entry in page.get("Versions", [])] == keys
