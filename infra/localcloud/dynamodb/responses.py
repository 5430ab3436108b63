"""DynamoDB actions that moto answers wrongly."""

from __future__ import annotations

import re
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult, EmptyResult
from moto.dynamodb.exceptions import DynamodbException, MockValidationException
from moto.dynamodb.responses import DynamoHandler

from infra.localcloud.dynamodb.models import DynamoDBBackend
from infra.localcloud.dynamodb.numbers import normalise

_call_action, _query, _transact = DynamoHandler.call_action, DynamoHandler.query, DynamoHandler.transact_write_items
_BEGINS_WITH = re.compile(r"begins_with\s*\([^,]+,\s*(:\w+)\s*\)")
# An attribute's name or placeholder: not a value, not a part of a path behind a dot, and not a function.
_NAME = re.compile(r"(?<![:.#\w])#?[A-Za-z_]\w*(?!\w*\s*\()")


def _backend(response: DynamoHandler) -> DynamoDBBackend:
    backend = response.dynamodb_backend
    assert isinstance(backend, DynamoDBBackend)
    return backend


def call_action(self: DynamoHandler) -> TYPE_RESPONSE:
    """Answers any action, with the request's numbers in their canonical form."""
    try:
        self.params = normalise(getattr(self, "params", {}))
    except DynamodbException as error:
        return error.code, {"status": error.code, "x-amzn-errortype": error.error_type}, error.get_body()
    return _call_action(self)


def query(self: DynamoHandler) -> ActionResult:
    """Answers Query.

    Raises:
        MockValidationException: The index does not exist, the filter names an attribute of the key, or a number is
            compared with begins_with.
    """
    table, index = _backend(self).get_table(self.body["TableName"]), self.body.get("IndexName")
    if index and index not in {one.name for one in table.all_indexes()}:
        raise MockValidationException(f"The table does not have the specified index: {index}")
    _check_filter(self)
    values = self.body.get("ExpressionAttributeValues", {})
    for placeholder in _BEGINS_WITH.findall(self.body.get("KeyConditionExpression", "")):
        if kind := next((kind for kind in values.get(placeholder, {}) if kind not in ("S", "B")), None):
            raise MockValidationException(
                "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
                f"operator or function: begins_with, operand type: {kind}"
            )
    return _query(self)


def _check_filter(self: DynamoHandler) -> None:
    expression = self.body.get("FilterExpression")
    if not expression:
        return
    names: dict[str, str] = self.body.get("ExpressionAttributeNames", {})
    used = {names.get(name, name) for name in _NAME.findall(expression)}
    schema: list[dict[str, Any]] = _backend(self).get_schema(
        table_name=self.body["TableName"], index_name=self.body.get("IndexName")
    )
    for key in schema:
        if key["AttributeName"] in used:
            raise MockValidationException(
                "Filter Expression can only contain non-primary key attributes: "
                f"Primary key attribute: {key['AttributeName']}"
            )


def transact_write_items(self: DynamoHandler) -> ActionResult:
    """Answers TransactWriteItems; the same token carries it out once."""
    token, items = self.body.get("ClientRequestToken"), self.body["TransactItems"]
    if _backend(self).is_repeated(token, items):
        return EmptyResult()
    result = _transact(self)
    _backend(self).remember(token, items)
    return result
