"""moto's DynamoDB, which remembers the transactions of the last minutes by their token."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import DynamoDBBackend as MotoDynamoDBBackend

from infra.localcloud.install import Context

# DynamoDB accepts a token again for this long after the first request that used it.
TOKEN_SECONDS = 600


class DynamoDBBackend(MotoDynamoDBBackend):
    """Tables of one account and region."""

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._transactions: dict[str, tuple[float, Any]] = {}

    def is_repeated(self, token: str | None, items: Any) -> bool:
        """Whether a transaction with this token was carried out already.

        Raises:
            DynamodbException: It had other items.
        """
        now = time.time()
        kept = {name: entry for name, entry in self._transactions.items() if now - entry[0] < TOKEN_SECONDS}
        self._transactions = kept
        if token is None or token not in kept:
            return False
        if kept[token][1] != items:
            text = "The request uses the same client token as a previous, but non-identical request"
            raise DynamodbException("IdempotentParameterMismatchException", text)
        return True

    def remember(self, token: str | None, items: Any) -> None:
        """Keeps the token of a transaction that was carried out."""
        if token is not None:
            self._transactions[token] = (time.time(), items)
