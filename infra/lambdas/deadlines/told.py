"""Tells a person of a night once: the state table remembers of which nights somebody was told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

# A check that claimed a night and then died has told nobody: after this long, another one may.
CLAIM = timedelta(minutes=10)
BY = "deadline"


class Told:
    """The items ``told#<workload>`` of the state table: one for each night of which a person was told.

    Besides, ``since`` is when the check first saw the workload, and ``next``, where data are replayed, the oldest night
    that has not ended, with the time since when it is.

    Args:
        table: The state table.
        dynamodb: A client.
        now: The present.
    """

    def __init__(self, table: str, dynamodb: Any, now: datetime) -> None:
        self._table = table
        self._dynamodb = dynamodb
        self._now = now

    def claim(self, workload: str, day: date) -> bool:
        """Claims a night for the caller, which then tells a person; False if somebody was told, or is being told."""
        stale = _text(self._now - CLAIM)
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={**_key(workload, day), "by": {"S": BY}, "at": {"S": _text(self._now)}, "told": {"BOOL": False}},
                ConditionExpression="attribute_not_exists(pk) OR (told = :false AND #at < :stale)",
                ExpressionAttributeNames={"#at": "at"},
                ExpressionAttributeValues={":false": {"BOOL": False}, ":stale": {"S": stale}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def confirm(self, workload: str, day: date) -> None:
        """Records that a person was told of a claimed night."""
        self._dynamodb.put_item(
            TableName=self._table,
            Item={**_key(workload, day), "by": {"S": BY}, "at": {"S": _text(self._now)}, "told": {"BOOL": True}},
        )

    def since(self, workload: str) -> datetime:
        """When the check first saw the workload. What was due before that is nobody's concern."""
        found = self._get(workload, "since")
        if found is None:
            self._put(workload, "since", at=_text(self._now))
        return datetime.fromisoformat(found["at"]["S"]) if found else self._now

    def next_night(self, workload: str) -> date | None:
        """The night that was next at the last check; None before the first one."""
        found = self._get(workload, "next")
        return date.fromisoformat(found["day"]["S"]) if found else None

    def next_since(self, workload: str, day: date) -> datetime:
        """Records which night is next; returns since when it has been."""
        found = self._get(workload, "next")
        if found and found["day"]["S"] == day.isoformat():
            return datetime.fromisoformat(found["at"]["S"])
        self.set_next(workload, day)
        return self._now

    def set_next(self, workload: str, day: date) -> None:
        """Records that a night is next since now."""
        self._put(workload, "next", day=day.isoformat(), at=_text(self._now))

    def _get(self, workload: str, sk: str) -> dict[str, Any] | None:
        key = {"pk": {"S": f"told#{workload}"}, "sk": {"S": sk}}
        found: dict[str, Any] | None = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get(
            "Item"
        )
        return found

    def _put(self, workload: str, sk: str, **texts: str) -> None:
        item = {name: {"S": text} for name, text in {"pk": f"told#{workload}", "sk": sk, **texts}.items()}
        self._dynamodb.put_item(TableName=self._table, Item=item)


def _key(workload: str, day: date) -> dict[str, Any]:
    return {"pk": {"S": f"told#{workload}"}, "sk": {"S": day.isoformat()}}


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
