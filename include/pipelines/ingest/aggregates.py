"""Records of the Kinesis Producer Library: one stream record that contains many user records.

The format is AWS's: four bytes, a protobuf message, and the message's MD5
(https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md).
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from include.pipelines.ingest.decode import UndecodableError

MAGIC = b"\xf3\x89\x9a\xc2"
DIGEST_BYTES = 16
_Field = descriptor_pb2.FieldDescriptorProto
# Only what is read. protobuf keeps other fields of a message unread.
_RECORD, _AGGREGATE = "Record", "AggregatedRecord"
_DATA_NUMBER, _RECORDS_NUMBER = 3, 3


def user_records(data: bytes) -> list[bytes] | None:
    """Returns the data of each user record, in order; None if the record is not an aggregate.

    Raises:
        UndecodableError: The aggregate is damaged, or is empty.
    """
    if not data.startswith(MAGIC):
        return None
    message, digest = data[len(MAGIC) : -DIGEST_BYTES], data[-DIGEST_BYTES:]
    if hashlib.md5(message, usedforsecurity=False).digest() != digest:
        raise UndecodableError("begins like an aggregate of the Kinesis Producer Library, but its checksum differs")
    aggregate = _aggregate_class()()
    try:
        aggregate.ParseFromString(message)
    except DecodeError as error:
        raise UndecodableError(f"a damaged aggregate of the Kinesis Producer Library: {error}") from None
    if not aggregate.records:
        raise UndecodableError("an aggregate of the Kinesis Producer Library without any record")
    return [record.data for record in aggregate.records]


@cache
def _aggregate_class() -> type[Any]:
    file = descriptor_pb2.FileDescriptorProto(name="nightjar/aggregated_record.proto", syntax="proto2")
    record = file.message_type.add(name=_RECORD)
    record.field.add(name="data", number=_DATA_NUMBER, type=_Field.TYPE_BYTES, label=_Field.LABEL_REQUIRED)
    aggregate = file.message_type.add(name=_AGGREGATE)
    aggregate.field.add(
        name="records",
        number=_RECORDS_NUMBER,
        type=_Field.TYPE_MESSAGE,
        type_name=f".{_RECORD}",
        label=_Field.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(_AGGREGATE))
