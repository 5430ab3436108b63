"""The two kinds of stream that the prediction log can be sent to: Kinesis and Firehose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from serving.telemetry.clients import make_client

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

# The smaller of the limits of Kinesis PutRecords and Firehose PutRecordBatch.
BATCH_RECORDS = 500
BATCH_BYTES = 4_000_000
RECORD_BYTES = 1_000_000
# Firehose only concatenates records, and bills each as a multiple of 5 KB. Many lines in a record cost a tenth per
# line, and half the CPU time.
PACK_BYTES = 50_000


@dataclass
class StreamRecord:
    """Lines that the stream accepts or refuses together.

    Attributes:
        key: The partition key.
        data: The lines.
        lines: Their number.
    """

    key: str
    data: bytearray
    lines: int = 1


class Stream(Protocol):
    """A stream that takes batches of records."""

    @property
    def uri(self) -> str:
        """``kinesis://<stream>`` or ``firehose://<delivery stream>``."""
        ...

    @property
    def pack_bytes(self) -> int:
        """Size up to which lines are packed into one record; 0: one line per record."""
        ...

    def put(self, batch: list[StreamRecord]) -> list[str]:
        """Sends a batch once.

        Returns:
            For each record the reason why it was refused; empty if it was accepted.

        Raises:
            Exception: Whatever boto3 raises when the call fails: no endpoint, no credentials, no such stream,
                throttling.
        """
        ...


class KinesisStream:
    """A Kinesis stream. A record is one line, because its partition key is the request's id."""

    pack_bytes = 0

    def __init__(self, name: str) -> None:
        self.name = name
        self.uri = f"kinesis://{name}"

    @cached_property
    def client(self) -> KinesisClient:
        """The boto3 client."""
        return make_client("kinesis")

    def put(self, batch: list[StreamRecord]) -> list[str]:
        """Sends a batch once; see :class:`Stream`."""
        results = self.client.put_records(
            StreamName=self.name,
            # A partition key must not be empty. A request without an id may go to any shard.
            Records=[{"Data": bytes(record.data), "PartitionKey": record.key or "-"} for record in batch],
        )["Records"]
        return [_reason(result.get("ErrorCode"), result.get("ErrorMessage")) for result in results]


class FirehoseStream:
    """A Firehose delivery stream.

    botocore copies and scans the lines of a call several times to make its body, and holds the interpreter meanwhile.
    So the body is made here, in one pass, by an encoder whose base64 takes a third of the interpreter's own; botocore
    signs and sends it, and reads the answer, as for any call.
    """

    def __init__(self, name: str, pack_bytes: int = PACK_BYTES) -> None:
        self.name = name
        self.pack_bytes = pack_bytes
        self.uri = f"firehose://{name}"
        self._batch: list[StreamRecord] = []

    @cached_property
    def client(self) -> Any:
        """The boto3 client."""
        client = make_client("firehose")
        client.meta.events.register("before-call.firehose.PutRecordBatch", self._set_body)
        return client

    def put(self, batch: list[StreamRecord]) -> list[str]:
        """Sends a batch once; see :class:`Stream`."""
        self._batch = batch
        results = self.client.put_record_batch(DeliveryStreamName=self.name, Records=[{"Data": b"the batch"}])
        return [_reason(result.get("ErrorCode"), result.get("ErrorMessage")) for result in results["RequestResponses"]]

    def _set_body(self, params: dict[str, Any], **_: object) -> None:
        """Replaces the body of a call before it is signed."""
        records = [{"Data": record.data} for record in self._batch]
        params["body"] = msgspec.json.encode({"DeliveryStreamName": self.name, "Records": records})


def open_stream(uri: str) -> Stream:
    """Returns the stream of ``kinesis://<stream>`` or ``firehose://<delivery stream>``."""
    service, name = uri.split("://")
    return KinesisStream(name) if service == "kinesis" else FirehoseStream(name)


def _reason(code: str | None, message: str | None) -> str:
    return f"{code}: {message or ''}" if code else ""
