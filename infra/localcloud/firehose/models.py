"""moto's Firehose, with the object keys that AWS documents."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.firehose.exceptions import InvalidArgumentException
from moto.firehose.models import FirehoseBackend as MotoFirehoseBackend
from moto.s3.models import s3_backends

from infra.localcloud.authorization.lookups import key_arn
from infra.localcloud.errors import AccessDeniedError, AssumeRoleError
from infra.localcloud.install import Context
from infra.localcloud.s3.errors import S3Error


class FirehoseBackend(MotoFirehoseBackend):
    """Delivery streams of one account and region."""

    context: ClassVar[Context]
    RUNTIME: ClassVar[dict[str, Any]] = {"_delivered": None, "_refused_since": None}

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._delivered: set[str] = set()
        self._refused_since: dict[str, float] = {}

    def take_freshness(self, now: float) -> dict[str, float]:
        """The age in seconds of the oldest record that waits, of each stream that was used since the last call.

        What is accepted is delivered at once. What is refused waits at its producer, as long as no delivery succeeds.
        """
        taken, self._delivered = self._delivered, set()
        return {**dict.fromkeys(taken, 0.0), **{name: now - since for name, since in self._refused_since.items()}}

    def create_delivery_stream(self, *args: Any, **kwargs: Any) -> str:
        """CreateDeliveryStream.

        Raises:
            NotImplementedError: The prefix has an expression.
        """
        for destination in (*args, *kwargs.values()):
            if isinstance(destination, dict) and "!{" in destination.get("Prefix", ""):
                raise NotImplementedError("expressions in Prefix are not evaluated; use a plain prefix")
        return super().create_delivery_stream(*args, **kwargs)

    def put_s3_records(
        self, delivery_stream_name: str, version_id: str, s3_destination: dict[str, Any], records: list[Any]
    ) -> list[dict[str, str]]:
        """Writes records to the destination with the destination's role.

        Raises:
            InvalidArgumentException: The role may not write there. AWS accepts the records and retries the delivery for
                hours; here they are refused, so that nothing is lost.
        """
        prefix = s3_destination.get("Prefix", "")
        target = f"{s3_destination['BucketARN']}/{prefix}{delivery_stream_name}"
        try:
            self.context.identity.check_trust(s3_destination["RoleARN"], "firehose.amazonaws.com")
            self.context.identity.require(s3_destination["RoleARN"], "Firehose", ("s3:PutObject", target))
            self._require_key(s3_destination["BucketARN"].rpartition(":")[2], s3_destination["RoleARN"])
            answers = list(super().put_s3_records(delivery_stream_name, version_id, s3_destination, records))
        except (AssumeRoleError, AccessDeniedError, S3Error) as error:
            self._refused_since.setdefault(delivery_stream_name, time.time())
            raise InvalidArgumentException(f"Firehose cannot deliver the records: {error}") from None
        self._refused_since.pop(delivery_stream_name, None)
        self._delivered.add(delivery_stream_name)
        return answers

    def _require_key(self, bucket: str, role_arn: str) -> None:
        """Checks that the role may encrypt with the bucket's key.

        Raises:
            AccessDeniedError: It may not.
        """
        backend: Any = s3_backends[self.account_id]["aws"]
        name = backend.encryption_of_new_objects(bucket).get("key", "")
        if name and "alias/aws/" not in name:
            key = key_arn(name, self.region_name, self.account_id)
            via = f"s3.{self.region_name}.amazonaws.com"
            self.context.identity.require(role_arn, "Firehose", ("kms:GenerateDataKey", key), via=via)

    @staticmethod
    def _format_s3_object_path(delivery_stream_name: str, version_id: str, prefix: str) -> str:
        """The key of an object: the prefix as it is, the UTC hour and a name of the object's own."""
        now = datetime.now(UTC)
        name = f"{delivery_stream_name}-{version_id}-{now:%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"
        return f"{prefix}{now:%Y/%m/%d/%H}/{name}"
