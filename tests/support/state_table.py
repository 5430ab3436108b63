"""The state table as Terraform and the laptop define it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parents[2] / "infra" / "definitions" / "state_table.yaml"


def create_state_table(dynamodb: Any, name: str) -> None:
    """Creates a table with the keys and the billing mode of the definition.

    Args:
        dynamodb: A boto3 client.
        name: The table's name.
    """
    defined = yaml.safe_load(_FILE.read_text())
    kept = ("BillingMode", "KeySchema", "AttributeDefinitions")
    dynamodb.create_table(TableName=name, **{field: defined[field] for field in kept})
