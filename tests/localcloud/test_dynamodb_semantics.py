"""DynamoDB: numbers, comparisons, conditions, transactions and pages as its documentation describes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack
TABLE = "semantics"


@pytest.fixture(scope="module")
def dynamodb(cloud: Cloud) -> Iterator[Any]:
    client = cloud.client("dynamodb")
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "p", "AttributeType": "S"},
            {"AttributeName": "s", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    yield client
    client.delete_table(TableName=TABLE)


def key(partition: str, sort: int = 1) -> dict[str, Any]:
    return {"p": {"S": partition}, "s": {"N": str(sort)}}


def stored(dynamodb: Any, value: dict[str, Any]) -> dict[str, Any]:
    """The value as it is read after it was put."""
    dynamodb.put_item(TableName=TABLE, Item={**key("stored"), "x": value})
    item: dict[str, Any] = dynamodb.get_item(TableName=TABLE, Key=key("stored"))["Item"]["x"]
    return item


@pytest.mark.parametrize(
    ("given", "read"),
    [("0100.0", "100"), ("-0", "0"), ("1E3", "1000"), ("1.50", "1.5"), ("1e-3", "0.001"), ("1" * 38, "1" * 38)],
)
def test_a_number_has_one_form(dynamodb: Any, given: str, read: str) -> None:
    assert stored(dynamodb, {"N": given}) == {"N": read}
    assert stored(dynamodb, {"L": [{"M": {"N": {"N": given}}}]}) == {"L": [{"M": {"N": {"N": read}}}]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
        ({"N": "1e126"}, "magnitude larger than supported range"),
        ({"N": "1e-131"}, "magnitude smaller than supported range"),
        ({"N": "one"}, "cannot be converted to a numeric value: one"),
        ({"NS": ["1", "1.0"]}, "contains duplicates"),
        ({"SS": ["a", "a"]}, "contains duplicates"),
    ],
)
def test_what_is_no_number_or_set_is_refused(dynamodb: Any, value: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        stored(dynamodb, value)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("start", "expression", "operand", "result"),
    [
        ("1.2345678901234567890123456789012345678", "SET x = x + :o", "1", "2.2345678901234567890123456789012345678"),
        ("0.1", "SET x = x + :o", "0.2", "0.3"),
        ("1", "SET x = x - :o", "1.0", "0"),
        ("99", "ADD x :o", "1", "100"),
    ],
)
def test_arithmetic_is_exact(dynamodb: Any, start: str, expression: str, operand: str, result: str) -> None:
    dynamodb.put_item(TableName=TABLE, Item={**key("sum"), "x": {"N": start}})
    values = {":o": {"N": operand}}
    answer = dynamodb.update_item(
        TableName=TABLE,
        Key=key("sum"),
        UpdateExpression=expression,
        ExpressionAttributeValues=values,
        ReturnValues="UPDATED_NEW",
    )
    assert answer["Attributes"] == {"x": {"N": result}}


VALUES = {
    ":zero": {"N": "0"},
    ":five": {"N": "5"},
    ":nine": {"N": "9"},
    ":a": {"S": "a"},
    ":text": {"S": "5"},
    ":null": {"NULL": True},
    ":low": {"B": b"\x01"},
}


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ("n > :zero AND n < :nine", True),
        ("n = :five", True),
        ("n = :text", False),
        ("n > :text", False),
        ("n < :text", False),
        ("n <> :text", True),
        ("t > :zero", False),
        ("n BETWEEN :zero AND :nine", True),
        ("n BETWEEN :a AND :text", False),
        ("n IN (:zero, :five)", True),
        ("n IN (:text)", False),
        ("absent = :null", False),
        ("absent <> :a", True),
        ("absent < :nine", False),
        ("nothing = :null", True),
        ("b > :low", True),
        ("size(b) < :five", True),
        ("size(t) = :five", False),
        ("size(absent) > :zero", False),
        ("size(n) > :zero", False),
        ("attribute_not_exists(absent) AND begins_with(t, :a)", True),
        ("contains(l, :a) AND NOT contains(l, :text)", True),
    ],
)
def test_a_condition_compares_as_dynamodb_does(dynamodb: Any, condition: str, true: bool) -> None:
    attributes = {"n": {"N": "5.0"}, "t": {"S": "abc"}, "b": {"B": b"\x02\x01"}, "l": {"L": [{"S": "a"}]}}
    dynamodb.put_item(TableName=TABLE, Item={**key("condition"), **attributes, "nothing": {"NULL": True}})
    used = {name: VALUES[name] for name in re.findall(r":\w+", condition)}
    found = dynamodb.scan(
        TableName=TABLE,
        FilterExpression=f"p = :p AND {condition}",
        ExpressionAttributeValues={**used, ":p": {"S": "condition"}},
    )
    assert (found["Count"] == 1) is true


def test_a_transaction_with_the_same_token_is_carried_out_once(dynamodb: Any) -> None:
    def count(token: str, by: str) -> None:
        update = {
            "TableName": TABLE,
            "Key": key("token"),
            "UpdateExpression": "ADD n :o",
            "ExpressionAttributeValues": {":o": {"N": by}},
        }
        dynamodb.transact_write_items(ClientRequestToken=token, TransactItems=[{"Update": update}])

    count("first", "1")
    count("first", "1")
    count("second", "1")
    with pytest.raises(ClientError) as caught:
        count("second", "5")
    assert caught.value.response["Error"]["Code"] == "IdempotentParameterMismatchException"
    assert dynamodb.get_item(TableName=TABLE, Key=key("token"))["Item"]["n"] == {"N": "2"}


def test_a_transaction_is_whole_or_nothing(dynamodb: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item=key("there"))
    check = {"TableName": TABLE, "Key": key("there"), "ConditionExpression": "attribute_not_exists(p)"}
    with pytest.raises(ClientError) as caught:
        dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": TABLE, "Item": key("half")}}, {"ConditionCheck": check}]
        )
    reasons = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert "Item" not in dynamodb.get_item(TableName=TABLE, Key=key("half"))


def test_a_limit_counts_before_the_filter(dynamodb: Any) -> None:
    for number in range(6):
        dynamodb.put_item(TableName=TABLE, Item={**key("page", number), "v": {"N": str(number)}})
    page = dynamodb.query(
        TableName=TABLE,
        KeyConditionExpression="p = :p AND s > :s",
        FilterExpression="v >= :v",
        ExpressionAttributeValues={":p": {"S": "page"}, ":s": {"N": "1"}, ":v": {"N": "4"}},
        Limit=3,
    )
    assert (page["Count"], page["ScannedCount"], page["LastEvaluatedKey"]) == (1, 3, key("page", 4))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"FilterExpression": "s > :s"}, "Filter Expression can only contain non-primary key attributes"),
        ({"FilterExpression": "#k = :s", "ExpressionAttributeNames": {"#k": "p"}}, "Primary key attribute: p"),
        ({"IndexName": "none"}, "The table does not have the specified index: none"),
        ({"KeyConditionExpression": "p = :p AND begins_with(s, :s)"}, "begins_with, operand type: N"),
    ],
)
def test_a_query_that_dynamodb_rejects_is_rejected(dynamodb: Any, members: dict[str, Any], message: str) -> None:
    values = {":p": {"S": "page"}, ":s": {"N": "1"}}
    if "IndexName" in members:
        del values[":s"]
    query = {"TableName": TABLE, "KeyConditionExpression": "p = :p", "ExpressionAttributeValues": values, **members}
    with pytest.raises(ClientError, match=message):
        dynamodb.query(**query)
