"""The state table: one DynamoDB table of items addressed by ``(pk, sk)``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

Item = dict[str, Any]


class StateHook(AwsBaseHook):
    """Reads and writes items of the state table; every read is strongly consistent.

    Values are plain Python (str, int, float, bool, None, lists, dicts); numbers come back as int where they are whole.
    ``pk`` and ``sk`` are strings and are not part of the attributes handed in or out.
    """

    def __init__(self, table: str, *, aws_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=aws_conn_id, client_type="dynamodb", **kwargs)
        self.table = table

    def get(self, pk: str, sk: str) -> Item | None:
        """The item's attributes, or None where there is none."""
        return _attributes(self.conn.get_item(**self._get_request(pk, sk)))

    async def get_async(self, pk: str, sk: str) -> Item | None:
        """The same, for triggers."""
        async with await self.get_async_conn() as client:
            return _attributes(await client.get_item(**self._get_request(pk, sk)))

    def query(self, pk: str) -> dict[str, Item]:
        """All items of one ``pk``: sort key → attributes."""
        pages = self.conn.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="#pk = :pk",
            ExpressionAttributeNames={"#pk": "pk"},
            ExpressionAttributeValues={":pk": {"S": pk}},
            ConsistentRead=True,
        )
        found = {}
        for page in pages:
            for raw in page["Items"]:
                item = _deserialize(raw)
                item.pop("pk")
                found[item.pop("sk")] = item
        return found

    def put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        """Writes the item, replacing what was there."""
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
        """Writes the item if ``condition`` (a DynamoDB condition expression) holds; False where it does not.

        ``values`` are keyed by placeholder (``:new``), ``names`` by alias (``#status``), as in the expression.
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

    def put_if_absent(self, pk: str, sk: str, item: Mapping[str, Any]) -> bool:
        """Writes the item if there is none; False where there is one."""
        return self.put_if(pk, sk, item, "attribute_not_exists(pk)")

    def advance(self, pk: str, sk: str, item: Mapping[str, Any], attribute: str) -> bool:
        """Writes the item unless the stored one's ``attribute`` is higher; False where it is.

        Strings compare by their bytes, so ISO UTC times and zero-padded numbers compare as what they mean.
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
