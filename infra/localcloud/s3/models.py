"""moto's S3 for the services of moto that use it in process (Firehose, Lambda, Logs, DynamoDB exports and the like).

It reads and writes the store of the requests. Whatever else moto's backend can do, nobody asks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import md5
from typing import Any

import moto.s3.models
from moto.cloudwatch.models import MetricDatum
from moto.core.resource_tagging import TaggedResource
from moto.core.utils import utcnow
from moto.s3.exceptions import MissingBucket

from infra.localcloud.authorization.s3_keys import KeyUse
from infra.localcloud.authorization.s3_requests import S3Request
from infra.localcloud.install import Context
from infra.localcloud.s3 import key_uses, listing, objects, setting_rules, tags
from infra.localcloud.s3.encryption_keys import check_usable, default_encryption
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.store import Bucket, Row, Store, now, write_setting

_AWS_PARTITION = "aws"


class StoredObject:
    """A version of an object with the attributes of moto's FakeKey that other services read."""

    def __init__(self, store: Store, row: Row) -> None:
        self.name = row["key"].decode()
        self.etag = f'"{row["etag"]}"'
        self.size: int = row["size"]
        self.version_id: str = row["version"]
        self._path = store.bodies.path(row["body"])

    @property
    def value(self) -> bytes:
        """The whole body."""
        return self._path.read_bytes()


class StoredBucket:
    """A bucket with the attributes of moto's FakeBucket that other services read."""

    def __init__(self, store: Store, bucket: Bucket) -> None:
        self._store = store
        self._bucket = bucket
        self.name = bucket.name
        self.account_id = bucket.account
        self.region_name = bucket.region
        self.arn = bucket.arn
        self.partition = _AWS_PARTITION

    @property
    def policy(self) -> bytes | None:
        """The bucket's policy."""
        text = self._store.setting(self._bucket, "policy")
        return None if text is None else str(text).encode()


class _Buckets(Mapping[str, StoredBucket]):
    """The buckets of an account by name, always as the store has them."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    def __getitem__(self, name: str) -> StoredBucket:
        try:
            bucket = self._store.bucket(name)
        except S3Error:
            raise KeyError(name) from None
        if bucket.account != self._account:
            raise KeyError(name)
        return StoredBucket(self._store, bucket)

    def __iter__(self) -> Iterator[str]:
        return (bucket.name for bucket in self._store.buckets() if bucket.account == self._account)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _Tags:
    """The tags of buckets by ARN, as moto's TaggingService answers them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get_tag_dict_for_resource(self, arn: str) -> dict[str, str]:
        bucket = self._store.bucket(arn.rpartition(":")[2])
        setting = self._store.setting(bucket, "tagging") or {"TagSet": []}
        return {tag["Key"]: tag["Value"] for tag in setting["TagSet"]}

    def list_tags_for_resource(self, arn: str) -> dict[str, list[dict[str, str]]]:
        return {"Tags": tags.to_set(self.get_tag_dict_for_resource(arn))}

    def tag_resource(self, arn: str, tags: list[dict[str, str]]) -> None:
        self._replace(arn, lambda old: {**old, **{tag["Key"]: tag["Value"] for tag in tags}})

    def untag_resource_using_names(self, arn: str, tag_names: list[str]) -> None:
        self._replace(arn, lambda old: {key: value for key, value in old.items() if key not in tag_names})

    def _replace(self, arn: str, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
        changed = change(self.get_tag_dict_for_resource(arn))
        value = {"TagSet": tags.to_set(tags.from_set(tags.to_set(changed), bucket=True))} if changed else None
        self._store.put_setting(arn.rpartition(":")[2], "tagging", value)


class S3Backend(moto.s3.models.S3Backend):
    """moto's S3 backend on the store."""

    context: Context
    store: Store

    def __init__(self, region_name: str, account_id: str) -> None:
        """Makes the backend of an account."""
        super().__init__(region_name, account_id)
        self.buckets = _Buckets(self.store, account_id)  # type: ignore[assignment]  # only read by moto's services
        self.tagger = _Tags(self.store)  # type: ignore[assignment]  # only these methods are called

    def reset(self) -> None:
        """Does nothing: what S3 keeps is not lost."""

    def create_bucket(self, bucket_name: str, region_name: str, bucket_namespace: str | None = None) -> Any:
        """Makes a bucket."""
        setting_rules.bucket_name(bucket_name)
        with self.store.write() as transaction:
            transaction.db.execute(
                "INSERT INTO bucket (name, account, region, created) VALUES (?, ?, ?, ?)",
                (bucket_name, self.account_id, region_name, now()),
            )
        return self.get_bucket(bucket_name)

    def create_table_storage_bucket(self, region_name: str) -> Any:
        """Refuses: there are no S3 tables.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("S3 tables have no storage here")

    def get_bucket(self, bucket_name: str) -> Any:
        """Finds a bucket.

        Raises:
            MissingBucket: There is none of this name.
        """
        try:
            return StoredBucket(self.store, self.store.bucket(bucket_name))
        except S3Error:
            raise MissingBucket(bucket=bucket_name) from None

    def get_object(
        self,
        bucket_name: str,
        key_name: str,
        version_id: str | None = None,
        part_number: str | None = None,
        return_delete_marker: bool = False,
    ) -> Any:
        """Finds an object; None if there is none.

        Raises:
            MissingBucket: There is no such bucket.
        """
        self.get_bucket(bucket_name)
        with self.store.index.read() as db:
            try:
                row = objects.find(db, self.store.bucket(bucket_name, db), key_name, version_id)
            except S3Error:
                return None
        return StoredObject(self.store, row)

    def key_uses(self, request: S3Request) -> list[KeyUse]:
        """The KMS keys that S3 uses for a request, which the authorization asks for."""
        return key_uses.uses(self.store, request)

    def encryption_of_new_objects(self, bucket_name: str) -> dict[str, Any]:
        """The encryption of objects that are put without headers; nothing for a bucket that is not there."""
        with self.store.index.read() as db, suppress(S3Error):
            return default_encryption(db, self.store.bucket(bucket_name, db))
        return {}

    def put_object(self, bucket_name: str, key_name: str, value: bytes, *args: Any, **kwargs: Any) -> Any:
        """Puts an object.

        Raises:
            MissingBucket: There is no such bucket.
            S3Error: The bucket's key cannot be used.
        """
        self.get_bucket(bucket_name)
        check_usable(self.store.bucket(bucket_name), encryption := self.encryption_of_new_objects(bucket_name))
        with self.store.bodies.create() as body:
            body.write(value)
            name = body.keep()
        etag = md5(value, usedforsecurity=False).hexdigest()
        with self.store.write() as transaction:
            detail = {"headers": {"content-type": "binary/octet-stream"}, "sse": encryption}
            new = objects.NewObject(key_name, len(value), etag, name, detail=detail)
            objects.put(transaction, self.store.bucket(bucket_name, transaction.db), new, objects.Conditions())
        return self.get_object(bucket_name, key_name)

    def list_objects(
        self, bucket: Any, prefix: str | None, delimiter: str | None, marker: str | None, max_keys: int | None
    ) -> Any:
        """All objects below a prefix."""
        with self.store.index.read() as db:
            found = self.store.bucket(bucket.name, db)
            page = listing.objects(
                db, found, (prefix or "").encode(), (delimiter or "").encode(), (marker or "").encode() or None, 1 << 40
            )
        folders = [text.decode() for text in page.prefixes]
        return [StoredObject(self.store, row) for row in page.rows], folders, False, None

    def put_bucket_tagging(self, bucket_name: str, tags: dict[str, str]) -> None:
        """Replaces the tags of a bucket."""
        with self.store.write() as transaction:
            bucket = self.store.bucket(bucket_name, transaction.db)
            value = {"TagSet": [{"Key": key, "Value": text} for key, text in tags.items()]}
            write_setting(transaction.db, bucket, "tagging", value)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """The buckets for the tagging API."""
        for bucket in self.buckets.values():
            yield TaggedResource(
                arn=bucket.arn, tags=self.tagger.get_tag_dict_for_resource(bucket.arn), resource_type="s3:bucket"
            )

    @classmethod
    def get_cloudwatch_metrics(cls, account_id: str, region: str) -> list[MetricDatum]:
        """The size and number of objects of each bucket."""
        query = (
            "SELECT bucket.name, coalesce(sum(object.size), 0), count(object.id) FROM bucket LEFT JOIN object"
            " ON object.bucket = bucket.id AND latest = 1 AND marker = 0 WHERE account = ? GROUP BY bucket.id"
        )
        with cls.store.index.read() as db:
            rows = db.execute(query, (account_id,)).fetchall()
        midnight = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
        kinds = (("BucketSizeBytes", "StandardStorage", "Bytes"), ("NumberOfObjects", "AllStorageTypes", "Count"))
        return [
            MetricDatum(
                namespace="AWS/S3",
                name=name,
                value=row[1 + place],
                dimensions=[{"Name": "StorageType", "Value": kind}, {"Name": "BucketName", "Value": row[0]}],
                timestamp=midnight,
                unit=unit,
            )
            for row in rows
            for place, (name, kind, unit) in enumerate(kinds)
        ]
