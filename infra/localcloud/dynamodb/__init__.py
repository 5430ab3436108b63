"""DynamoDB: numbers, comparisons and transactions as DynamoDB documents them."""

from __future__ import annotations

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from infra.localcloud.dynamodb.comparisons import replace_comparisons
from infra.localcloud.dynamodb.models import DynamoDBBackend
from infra.localcloud.dynamodb.numbers import replace_arithmetic
from infra.localcloud.dynamodb.responses import call_action, query, transact_write_items
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts this backend and the corrected actions into moto."""
    replace_backend(dynamodb_backends, DynamoDBBackend, context)
    replace_comparisons()
    replace_arithmetic()
    add_actions(DynamoHandler, call_action, query, transact_write_items)
