"""The state table: a DynamoDB table whose items are addressed by ``(pk, sk)``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
Get = Callable[[str, str], Awaitable[Item | None]]  # reads the item of a pk and sk


class StateHook(AwsGenericHook["DynamoDBClient"]):
    """Reads and writes items of the state table. Every read is strongly consistent.

    Values are JSON-native (str, int, float, bool, None, lists, dicts); whole numbers are read as int. ``pk`` and ``sk``
    are strings, and are not part of an item's attributes here.
    """

    def __init__(self, table: str, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="dynamodb", **kwargs)
        self.table = table

    def get(self, pk: str, sk: str) -> Item | None:
        """Returns the item's attributes, or None if it does not exist."""
        return _attributes(self.conn.get_item(**self._get_request(pk, sk)))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Get]:
        """Yields a function that does the same as :meth:`get` without blocking, for triggers. It keeps one client."""
        async with await self.get_async_conn() as client:

            async def get(pk: str, sk: str) -> Item | None:
                return _attributes(await client.get_item(**self._get_request(pk, sk)))

            yield get

    def query(self, pk: str, *, last: int | None = None) -> dict[str, Item]:
        """Returns the items with this ``pk``: sort key → attributes.

        Args:
            pk: Partition key.
            last: Number of items, those with the highest sort keys, highest first; None: all, in order.
        """
        pages = self.conn.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="#pk = :pk",
            ExpressionAttributeNames={"#pk": "pk"},
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
            ScanIndexForward=last is None,
            PaginationConfig={"MaxItems": last, "PageSize": last} if last else {},
        )
        found = {}
        for page in pages:
            for attributes in page["Items"]:
                item = _deserialize(attributes)
                item.pop("pk")
                found[item.pop("sk")] = item
        return found

    def put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        """Writes the item, or replaces the one that exists."""
        self.conn.put_item(TableName=self.table, Item=_serialize({**item, "pk": pk, "sk": sk}))

    def put_if(
        self,
        pk: str,
        sk: str,
        item: Mapping[str, Any],
        condition: str,
        values: Mapping[str, Any] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> bool:
        """Writes the item if a condition holds; returns False if it does not.

        Args:
            pk: Partition key.
            sk: Sort key.
            item: The other attributes.
            condition: A DynamoDB condition expression.
            values: Placeholder in the expression (``:new``) → value.
            names: Alias in the expression (``#status``) → attribute.
        """
        request: dict[str, Any] = {
            "TableName": self.table,
            "Item": _serialize({**item, "pk": pk, "sk": sk}),
            "ConditionExpression": condition,
        }
        if values:
            request["ExpressionAttributeValues"] = _serialize(values)
        if names:
            request["ExpressionAttributeNames"] = dict(names)
        try:
            self.conn.put_item(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def advance(self, pk: str, sk: str, item: Mapping[str, Any], attribute: str) -> bool:
        """Writes the item unless the stored one's ``attribute`` is higher; returns False in that case.

        Strings compare by their bytes, so texts of a fixed width (ISO UTC times, zero-padded numbers) compare as the
        values.
        """
        condition = "attribute_not_exists(#a) OR #a <= :new"
        return self.put_if(pk, sk, item, condition, {":new": item[attribute]}, {"#a": attribute})

    def _get_request(self, pk: str, sk: str) -> dict[str, Any]:
        return {"TableName": self.table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}, "ConsistentRead": True}


def _attributes(response: Mapping[str, Any]) -> Item | None:
    if "Item" not in response:
        return None
    return {name: value for name, value in _deserialize(response["Item"]).items() if name not in ("pk", "sk")}


def _serialize(values: Mapping[str, Any]) -> dict[str, Any]:
    serializer = TypeSerializer()
    return {name: serializer.serialize(_to_decimal(value)) for name, value in values.items()}


def _deserialize(values: Mapping[str, Any]) -> Item:
    deserializer = TypeDeserializer()
    return {name: _from_decimal(deserializer.deserialize(value)) for name, value in values.items()}


def _to_decimal(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {name: _to_decimal(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_decimal(inner) for inner in value]
    return value


def _from_decimal(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _from_decimal(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_from_decimal(inner) for inner in value]
    return value
