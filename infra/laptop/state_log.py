"""The state table for commands that record a person's decision, such as a freeze of the deploys."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from infra.laptop.aws import Aws


class LaptopState:
    """Reads and writes items of the state table; a ``StateLog`` of ``include.pipelines.protocols``."""

    def __init__(self, aws: Aws, table: str) -> None:
        self._client, self._table = aws.dynamodb, table

    def query(self, pk: str, *, last: int | None = None) -> dict[str, dict[str, Any]]:
        """Returns all items with this ``pk``, or the ``last`` by sort key: sort key → attributes."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
            ScanIndexForward=last is None,
            PaginationConfig={"MaxItems": last, "PageSize": last} if last else {},
        )
        read, found = TypeDeserializer(), {}
        for page in pages:
            for item in page["Items"]:
                attributes = {name: _plain(read.deserialize(value)) for name, value in item.items() if name != "pk"}
                found[attributes.pop("sk")] = attributes
        return found

    def put_if(
        self,
        pk: str,
        sk: str,
        item: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> bool:
        """Writes the item if the condition holds; returns False if it does not."""
        write = TypeSerializer().serialize
        options: dict[str, Any] = {"ExpressionAttributeNames": dict(names)} if names else {}
        if values:
            options["ExpressionAttributeValues"] = {name: write(value) for name, value in values.items()}
        written = {name: write(value) for name, value in {**item, "pk": pk, "sk": sk}.items()}
        try:
            self._client.put_item(TableName=self._table, Item=written, ConditionExpression=condition, **options)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value
