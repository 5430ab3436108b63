"""Partition projection: values, locations, pruning, and errors of its properties."""

from __future__ import annotations

from datetime import datetime

import pytest

from infra.localcloud.athena.aws import Table
from infra.localcloud.athena.errors import QueryError, UnsupportedError
from infra.localcloud.athena.projection import partitions
from tests.support.athena import Athena
from tests.support.localcloud import Cloud

NOW = datetime.fromisoformat("2013-03-31T10:20:30")


def projected(
    keys: list[tuple[str, str]], given: dict[str, str], template: str = ""
) -> list[tuple[tuple[str, ...], str]]:
    properties = {"projection.enabled": "true", **{f"projection.{name}": value for name, value in given.items()}}
    if template:
        properties["storage.location.template"] = template
    table = Table("lake", "t", [], keys, {"Parameters": properties, "StorageDescriptor": {"Location": "s3://b/t/"}})
    return [(one.values, one.location) for one in partitions(table, lambda column: ["x", "y"], NOW)]


def values(kind: str, given: dict[str, str]) -> list[str]:
    return [value[0] for value, _ in projected([("p", kind)], {f"p.{name}": value for name, value in given.items()})]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("string", {"type": "enum", "values": "a,b , c"}, ["a", "b ", " c"]),
        ("int", {"type": "Integer", "range": "0, 3"}, ["0", "1", "2", "3"]),
        ("int", {"type": "integer", "range": "-1,1"}, ["-1", "0", "1"]),
        ("string", {"type": "integer", "range": "1,5", "interval": "2", "digits": "2"}, ["01", "03", "05"]),
        ("string", {"type": "injected"}, ["x", "y"]),
        (
            "string",
            {"type": "date", "format": "yyyy-MM-dd", "range": "2013-02-27,2013-03-01"},
            ["2013-02-27", "2013-02-28", "2013-03-01"],
        ),
        ("string", {"type": "date", "format": "yyyy/MM/dd", "range": "NOW-1DAYS,NOW"}, ["2013/03/30", "2013/03/31"]),
        (
            "string",
            {"type": "date", "format": "yyyy-MM", "range": "NOW-2MONTHS,NOW"},
            ["2013-01", "2013-02", "2013-03"],
        ),
        ("string", {"type": "date", "format": "yyyy", "range": "NOW-1YEAR,NOW+1YEAR"}, ["2012", "2013", "2014"]),
        ("string", {"type": "date", "format": "d.M.yyyy", "range": "28.2.2013,1.3.2013"}, ["28.2.2013", "1.3.2013"]),
        (
            "string",
            {
                "type": "date",
                "format": "yyyy-MM-dd'T'HH",
                "range": "NOW-2HOURS,NOW",
                "interval": "2",
                "interval.unit": "hours",
            },
            ["2013-03-31T08", "2013-03-31T10"],
        ),
        ("date", {"type": "date", "format": "yyyyMMdd", "range": "20130228,20130301"}, ["2013-02-28", "2013-03-01"]),
        (
            "string",
            {
                "type": "date",
                "format": "yyyy-MM-dd",
                "range": "2013-01-01,2013-01-31",
                "interval": "2",
                "interval.unit": "WEEKS",
            },
            ["2013-01-01", "2013-01-15", "2013-01-29"],
        ),
    ],
)
def test_values_of_each_type(kind: str, given: dict[str, str], expected: list[str]) -> None:
    assert values(kind, given) == expected


def test_locations_follow_the_template_or_the_names_of_the_keys() -> None:
    given = {
        "day.type": "date",
        "day.format": "yyyy/MM/dd",
        "day.range": "2013-03-01,2013-03-01",
        "r.type": "enum",
        "r.values": "eu",
    }
    given["day.range"] = "2013/03/01,2013/03/01"
    keys = [("day", "date"), ("r", "string")]
    assert projected(keys, given, "s3://b/x/${r}/${day}/") == [(("2013-03-01", "eu"), "s3://b/x/eu/2013/03/01/")]
    assert projected(keys, given) == [(("2013-03-01", "eu"), "s3://b/t/day=2013/03/01/r=eu/")]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "missing projection configuration: \\[p\\]"),
        ({"type": "list"}, "must be enum, integer, date or injected: list"),
        ({"type": "enum"}, "missing projection property values: p"),
        ({"type": "integer", "range": "1-5"}, "must be two values with a comma"),
        ({"type": "integer", "range": "5,1"}, "must rise"),
        ({"type": "integer", "range": "a,b"}, "must be two integers"),
        ({"type": "integer", "range": "1,5", "interval": "0"}, "interval must be a positive integer"),
        ({"type": "date", "range": "NOW-1DAYS,NOW"}, "missing projection property format"),
        (
            {"type": "date", "format": "yyyy-MM-dd", "range": "01.03.2013,NOW"},
            "must be two dates of the format yyyy-MM-dd",
        ),
        ({"type": "date", "format": "yyyy-MM-dd HH", "range": "NOW-1DAYS,NOW"}, "interval.unit is required"),
        ({"type": "date", "format": "yyyy-MM-dd", "range": "NOW,NOW", "interval.unit": "EONS"}, "must be one of YEARS"),
    ],
)
def test_wrong_properties_fail(given: dict[str, str], reason: str) -> None:
    with pytest.raises(QueryError, match=f"INVALID_TABLE_PROPERTY: Table lake.t .*{reason}"):
        values("string", given)


def test_letters_that_are_not_known_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="the letters EEE"):
        values("string", {"type": "date", "format": "EEE yyyy", "range": "NOW,NOW"})


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Athena:
    found = Athena(cloud, "athena-projection")
    for day in ("2013-02-28", "2013-03-01", "2013-03-02"):
        for device in ("a", "b"):
            size = found.put(f"events/{device}/{day.replace('-', '/')}/0.json", f'{{"n": {day[-1]}}}\n')
    found.sizes["file"] = size
    found.table(
        "events",
        "n int",
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
        "device string, day date",
        f"""TBLPROPERTIES ('projection.enabled'='true', 'projection.device.type'='injected',
        'projection.day.type'='date', 'projection.day.format'='yyyy/MM/dd', 'projection.day.range'='2013/02/01,NOW',
        'storage.location.template'='s3://{found.bucket}/events/${{device}}/${{day}}')""",
    )
    return found


@pytest.mark.stack
def test_a_projected_table_is_read_without_partitions_in_the_catalog(athena: Athena) -> None:
    assert athena.glue.get_partitions(DatabaseName="lake", TableName="events")["Partitions"] == []
    where = "device = 'a' AND day BETWEEN date '2013-02-28' AND date '2013-03-01'"
    done = athena.ok(f"SELECT * FROM events WHERE {where}")
    assert done["Statistics"]["DataScannedInBytes"] == 2 * athena.sizes["file"]
    assert sorted(athena.rows(f"SELECT n, device, day FROM events WHERE {where}")) == [
        ["1", "a", "2013-03-01"],
        ["8", "a", "2013-02-28"],
    ]
    many = "device IN ('a', 'b', 'none') AND day = date '2013-03-02'"
    assert athena.rows(f"SELECT device FROM events WHERE {many} ORDER BY 1") == [["a"], ["b"]]


@pytest.mark.stack
def test_an_injected_column_needs_an_equal_value(athena: Athena) -> None:
    reason = (
        "CONSTRAINT_VIOLATION: For the injected projected partition column device, the WHERE clause must contain only"
    )
    assert reason in athena.failure("SELECT * FROM events")
    assert reason in athena.failure("SELECT * FROM events WHERE device > 'a'")


@pytest.mark.stack
def test_the_partitions_of_a_projection_are_not_shown(athena: Athena) -> None:
    assert "projection" in athena.failure("SHOW PARTITIONS events")
    assert "projection" in athena.failure('SELECT * FROM "events$partitions"')
