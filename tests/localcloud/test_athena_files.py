"""Files behind tables: what Athena reads of Parquet, text and JSON, and where it fails."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.support.athena import Athena
from tests.support.localcloud import Cloud

pytestmark = pytest.mark.stack
BUCKET = "athena-files"
LAZY = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'"
CSV = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
OPENX = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
HIVE_JSON = "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'"


@pytest.fixture(scope="module")
def athena(cloud: Cloud) -> Athena:
    return Athena(cloud, BUCKET)


_NUMBER = iter(range(10_000))


def read(
    athena: Athena, columns: str, form: str, files: Mapping[str, bytes | str], more: str = "", sql: str = "*"
) -> Any:
    """The rows of a new table with these files, or the reason for which reading it fails."""
    name = f"t{next(_NUMBER)}"
    for key, body in files.items():
        athena.put(f"{name}/{key}", body)
    athena.table(name, columns, form, more=more)
    done = athena.run(f"SELECT {sql} FROM {name}")
    if done["Status"]["State"] == "FAILED":
        return done["Status"]["StateChangeReason"]
    answer = athena.api.get_query_results(QueryExecutionId=done["QueryExecutionId"])["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer[1:]]


# --- Parquet ------------------------------------------------------------------------------------------------------

INT32, INT64 = pa.array([7, None], pa.int32()), pa.array([7, None], pa.int64())


@pytest.mark.parametrize(
    ("column", "hive", "value"),
    [
        (INT32, "int", "7"),
        (INT32, "bigint", "7"),
        (INT32, "smallint", "7"),
        (INT32, "decimal(12,2)", "7.00"),
        (pa.array([7, None], pa.int16()), "int", "7"),
        (pa.array([7, None], pa.uint8()), "int", "7"),
        (INT64, "bigint", "7"),
        (pa.array([1.5, None], pa.float32()), "float", "1.5"),
        (pa.array([1.5, None], pa.float32()), "double", "1.5"),
        (pa.array([1.5, None], pa.float64()), "double", "1.5"),
        (pa.array([Decimal("1.25"), None]), "decimal(3,2)", "1.25"),
        (pa.array([Decimal("1.25"), None]), "decimal(10,4)", "1.2500"),
        (pa.array([Decimal(7), None], pa.decimal128(5, 0)), "bigint", "7"),
        (pa.array(["a", None]), "string", "a"),
        (pa.array(["abc", None]), "varchar(2)", "ab"),
        (pa.array([b"a", None]), "string", "a"),
        (pa.array([b"\x01a", None]), "binary", "01 61"),
        (pa.array(["a", None]).dictionary_encode(), "string", "a"),
        (pa.array([True, None]), "boolean", "true"),
        (pa.array([date(2013, 3, 1), None]), "date", "2013-03-01"),
        (
            pa.array([datetime.fromisoformat("2013-03-01T01:02:03.004"), None], pa.timestamp("ms")),
            "timestamp",
            "2013-03-01 01:02:03.004",
        ),
        (
            pa.array([datetime.fromisoformat("2013-03-01T01:00:00"), None], pa.timestamp("us", "UTC")),
            "timestamp",
            "2013-03-01 01:00:00.000",
        ),
        (
            pa.array([datetime.fromisoformat("2013-03-01T01:00:00"), None], pa.timestamp("ns")),
            "timestamp",
            "2013-03-01 01:00:00.000",
        ),
        (pa.array([datetime.fromisoformat("1970-01-01T00:00:01"), None], pa.timestamp("ms")), "bigint", "1000"),
    ],
)
def test_a_parquet_column_is_read_as_a_type_that_holds_it(athena: Athena, column: Any, hive: str, value: str) -> None:
    name = f"p{next(_NUMBER)}"
    athena.put_parquet(f"{name}/0", x=column)
    athena.table(name, f"x {hive}", "STORED AS PARQUET")
    assert athena.rows(f"SELECT x FROM {name}") == [[value], [None]]


@pytest.mark.parametrize(
    ("column", "hive", "physical"),
    [
        (INT64, "double", "INT64"),
        (INT32, "double", "INT32"),
        (INT64, "int", "INT64"),
        (INT64, "string", "INT64"),
        (INT64, "decimal(20,2)", "INT64"),
        (INT64, "timestamp", "INT64"),
        (INT32, "float", "INT32"),
        (pa.array([1.5]), "bigint", "DOUBLE"),
        (pa.array([1.5]), "int", "DOUBLE"),
        (pa.array([1.5]), "float", "DOUBLE"),
        (pa.array([1.5]), "decimal(5,2)", "DOUBLE"),
        (pa.array([1.5]), "string", "DOUBLE"),
        (pa.array(["1"]), "int", "BYTE_ARRAY"),
        (pa.array(["2013-03-01"]), "date", "BYTE_ARRAY"),
        (pa.array(["2013-03-01 00:00:00"]), "timestamp", "BYTE_ARRAY"),
        (pa.array(["true"]), "boolean", "BYTE_ARRAY"),
        (pa.array([True]), "int", "BOOLEAN"),
        (pa.array([date(2013, 3, 1)]), "timestamp", "INT32"),
        (pa.array([datetime.fromisoformat("2013-03-01")], pa.timestamp("ms")), "date", "INT64"),
        (pa.array([Decimal("1.25")]), "double", "FIXED_LEN_BYTE_ARRAY"),
        (pa.array([[1]]), "int", "group"),
    ],
)
def test_a_parquet_column_of_another_type_fails(athena: Athena, column: Any, hive: str, physical: str) -> None:
    name = f"p{next(_NUMBER)}"
    athena.put_parquet(f"{name}/0", x=column)
    athena.table(name, f"x {hive}", "STORED AS PARQUET")
    kind = {"BYTE_ARRAY": "BINARY"}.get(physical, physical)
    assert athena.failure(f"SELECT x FROM {name}") == (
        f"HIVE_BAD_DATA: Field x's type {kind} in parquet file s3://{BUCKET}/{name}/0 is incompatible with type {hive}"
        " defined in table schema"
    )


def test_only_the_file_that_differs_is_named(athena: Athena) -> None:
    athena.put_parquet("mixed/a", x=pa.array([1], pa.int64()))
    athena.put_parquet("mixed/b", x=pa.array([1.5]))
    athena.table("mixed", "x bigint", "STORED AS PARQUET")
    assert "mixed/b is incompatible with type bigint" in athena.failure("SELECT x FROM mixed")


def test_parquet_columns_are_found_by_name_whatever_their_case_and_missing_ones_are_null(athena: Athena) -> None:
    athena.put_parquet("named/a", B=["x"], A=pa.array([1], pa.int32()), extra=[1.5])
    athena.put_parquet("named/b", a=pa.array([2], pa.int64()))
    athena.table("named", "a bigint, b string, c double", "STORED AS PARQUET")
    assert athena.rows("SELECT * FROM named ORDER BY a") == [["1", "x", None], ["2", None, None]]


def test_nested_parquet_columns_are_read_by_field_name(athena: Athena) -> None:
    row = {"inner": {"N": 3, "more": "m"}, "gone": 1}
    kind = pa.struct([("gone", pa.int64()), ("inner", pa.struct([("N", pa.int32()), ("more", pa.string())]))])
    athena.put_parquet(
        "nested/0",
        s=pa.array([row, None], kind),
        l=pa.array([[row], []], pa.list_(kind)),
        m=pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int32())),
    )
    struct = "struct<inner:struct<more:string,n:bigint,later:double>>"
    athena.table("nested", f"s {struct}, l array<{struct}>, m map<string,bigint>", "STORED AS PARQUET")
    assert athena.rows("SELECT s.inner.n, l[1].inner.more, m['k'], s FROM nested WHERE s IS NOT NULL") == [
        ["3", "m", "1", "{inner={more=m, n=3, later=null}}"]
    ]
    assert athena.rows("SELECT s, l, m FROM nested WHERE s IS NULL") == [[None, "[]", "{}"]]


def test_what_is_no_parquet_file_fails_with_its_name(athena: Athena) -> None:
    athena.put("broken/0.parquet", b"not parquet at all")
    athena.table("broken", "x int", "STORED AS PARQUET")
    reason = athena.failure("SELECT * FROM broken")
    assert "HIVE_BAD_DATA" in reason and f"s3://{BUCKET}/broken/0.parquet" in reason


def test_hidden_empty_and_marker_objects_have_no_rows_and_folders_below_are_read(athena: Athena) -> None:
    files = {
        "_SUCCESS": "x",
        ".hidden": "x",
        "_temporary/0": "x",
        "empty": "",
        "folder/": "",
        "a/b/0": "deep",
        "0": "top",
    }
    assert sorted(read(athena, "x string", LAZY, files)) == [["deep"], ["top"]]


# --- LazySimpleSerDe ----------------------------------------------------------------------------------------------

DELIMITED = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"


@pytest.mark.parametrize(
    ("columns", "form", "body", "rows"),
    [
        ("a string, b int, c int", DELIMITED, "x,1\ny,1,2,3\n", [["x", "1", None], ["y", "1", "2"]]),
        ("a int, b string", DELIMITED, "no,x\n1.5,y\n 1,z\n\n", [[None, "x"], [None, "y"], [None, "z"], [None, None]]),
        ("a string", DELIMITED, "\n\\N\n", [[""], [None]]),
        ("a string", f"{DELIMITED} NULL DEFINED AS 'none'", "none\n\\N\n", [[None], ["\\N"]]),
        ("a string, b string", f"{DELIMITED} ESCAPED BY '\\\\'", "a\\,b,c\\\\d\n", [["a,b", "c\\d"]]),
        ("a string, b string", DELIMITED, 'a\\,"b,c"\n', [["a\\", '"b']]),
        ("a tinyint, b smallint", DELIMITED, "127,32767\n128,32768\n", [["127", "32767"], [None, None]]),
        ("a double, b float", DELIMITED, "1.50,1e2\nNaN,x\n", [["1.5", "100.0"], ["NaN", None]]),
        ("a decimal(4,1)", DELIMITED, "1.25\n-1.25\n1e9\nx\n", [["1.3"], ["-1.3"], [None], [None]]),
        ("a boolean", DELIMITED, "TRUE\nfalse\n1\n", [["true"], ["false"], [None]]),
        ("a date", DELIMITED, "2013-03-01\n2013-3-1\n01/03/2013\n", [["2013-03-01"], ["2013-03-01"], [None]]),
        (
            "a timestamp",
            DELIMITED,
            "2013-03-01 10:00:00\n2013-03-01 10:00:00.1235\n2013-03-01T10:00:00\n2013-03-01\n",
            [["2013-03-01 10:00:00.000"], ["2013-03-01 10:00:00.124"], [None], [None]],
        ),
        (
            "a array<int>, m map<string,int>, s struct<x:string,y:int>",
            f"{DELIMITED} COLLECTION ITEMS TERMINATED BY '|' MAP KEYS TERMINATED BY ':'",
            "1|2|x,k:1|l:2,q|3\n,,p\n",
            [["[1, 2, null]", "{k=1, l=2}", "{x=q, y=3}"], ["[]", "{}", "{x=p, y=null}"]],
        ),
        (
            "a string, b string",
            "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'",
            "x\ty\r\nz\tw\r",
            [["x", "y"], ["z", "w"]],
        ),
        ("a string, b string", "ROW FORMAT DELIMITED", "x\x01y\n", [["x", "y"]]),
    ],
)
def test_text_is_read_as_lazy_simple_serde_reads_it(
    athena: Athena, columns: str, form: str, body: str, rows: list[list[str | None]]
) -> None:
    assert read(athena, columns, form, {"0": body}) == rows


def test_header_and_footer_of_each_file_are_skipped(athena: Athena) -> None:
    more = "TBLPROPERTIES ('skip.header.line.count'='1', 'skip.footer.line.count'='1')"
    assert sorted(read(athena, "a string", DELIMITED, {"0": "h\n1\nf\n", "1": "h\n2\n3\nf"}, more)) == [
        ["1"],
        ["2"],
        ["3"],
    ]


def test_compression_is_told_by_the_extension(athena: Athena) -> None:
    zstd = pa.compress(b"z\n", codec="zstd", asbytes=True)
    files = {"a.gz": gzip.compress(b"g\n"), "b.csv.bz2": bz2.compress(b"b\n"), "c.zst": zstd, "d.txt": b"t\n"}
    assert sorted(read(athena, "a string", DELIMITED, files)) == [["b"], ["g"], ["t"], ["z"]]
    assert "snappy" in read(athena, "a string", DELIMITED, {"a.snappy": b"x"})
    assert "HIVE_CURSOR_ERROR" in read(athena, "a string", DELIMITED, {"a.gz": b"no gzip"})


# --- OpenCSVSerDe -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "more", "body", "rows"),
    [
        ("a string, b int", "", '"x, ""y""",1\nz\n', [['x, "y"', "1"], ["z", None]]),
        ("a string, b string", "", "x,y,z\n,\n", [["x", "y"], ["", ""]]),
        ("a string, b string", "", '"x\\"y",z\n', [['x"y', "z"]]),
        ("a date, b timestamp", "", "1,1579059880000\n", [["1970-01-02", "2020-01-15 03:44:40.000"]]),
        (
            "a string, b string",
            "WITH SERDEPROPERTIES ('separatorChar'=';','quoteChar'='`')",
            "`a;b`;c\n",
            [["a;b", "c"]],
        ),
        ("a string, b string", 'WITH SERDEPROPERTIES ("separatorChar"="\\t")', "a\tb\n", [["a", "b"]]),
    ],
)
def test_csv_is_read_as_open_csv_serde_reads_it(
    athena: Athena, columns: str, more: str, body: str, rows: list[list[str | None]]
) -> None:
    assert read(athena, columns, f"{CSV} {more}", {"0": body}) == rows


@pytest.mark.parametrize(
    ("columns", "body", "reason"),
    [
        ("a string, b int", "x,\n", "Error parsing field value '' for field 1: For input string: \"\""),
        ("a int", "1.5\n", "Error parsing field value '1.5' for field 0: For input string: \"1.5\""),
        ("a timestamp", "2013-03-01 10:00:00\n", "Error parsing field value '2013-03-01 10:00:00' for field 0"),
        ("a date", "2013-03-01\n", "Error parsing field value '2013-03-01' for field 0"),
    ],
)
def test_csv_that_is_no_value_of_its_column_fails(athena: Athena, columns: str, body: str, reason: str) -> None:
    assert read(athena, columns, CSV, {"0": body}).startswith(f"HIVE_BAD_DATA: {reason}")
    null = "TBLPROPERTIES ('use.null.for.invalid.data'='true')"
    assert read(athena, columns, CSV, {"0": body}, null)[0][-1] is None


# --- JSON ---------------------------------------------------------------------------------------------------------

NESTED = '{"s": {"A": 1, "l": [{"b": "x"}]}, "m": {"K": 1}, "l": [1, null]}\n'


@pytest.mark.parametrize("serde", [OPENX, HIVE_JSON])
@pytest.mark.parametrize(
    ("columns", "body", "rows"),
    [
        (
            "a int, b string",
            '{"A": 1, "B": "x", "more": 2}\n{}\n{"a": null}\n',
            [["1", "x"], [None, None], [None, None]],
        ),
        ("a string", '{"a": 1.50}\n{"a": 1e2}\n{"a": true}\n', [["1.50"], ["1e2"], ["true"]]),
        ("a double, b decimal(5,2)", '{"a": 1.5, "b": 1.005}\n', [["1.5", "1.01"]]),
        (
            "a timestamp, b date",
            '{"a": "2013-03-01 10:00:00", "b": "2013-03-01"}\n',
            [["2013-03-01 10:00:00.000", "2013-03-01"]],
        ),
        ("s struct<a:int,l:array<struct<b:string>>>, m map<string,int>", NESTED, [["{a=1, l=[{b=x}]}", "{K=1}"]]),
        ("l array<int>", NESTED, [["[1, null]"]]),
    ],
)
def test_json_is_read_by_both_serdes(
    athena: Athena, serde: str, columns: str, body: str, rows: list[list[str | None]]
) -> None:
    assert read(athena, columns, serde, {"0": body}) == rows


def test_fields_of_json_rows_are_named_with_dots(athena: Athena) -> None:
    columns = "s struct<a:int,l:array<struct<b:string>>>"
    assert read(athena, columns, OPENX, {"0": NESTED}, sql="s.a, s.l[1].b, cardinality(s.l)") == [["1", "x", "1"]]


@pytest.mark.parametrize(
    ("columns", "properties", "body", "rows"),
    [
        ("a int", "", '{"a": "12"}\n', [["12"]]),
        ("a string", "", '{"a": {"b": [1.50, null]}}\n', [['{"b":[1.50,null]}']]),
        ("a_b int", "'dots.in.keys'='true'", '{"a.b": 1}\n', [["1"]]),
        ("t string", "'mapping.t'='Time'", '{"Time": "x"}\n', [["x"]]),
        ("a int", "'ignore.malformed.json'='true'", '{"a": 1}\n{"a": \n', [["1"], [None]]),
        (
            "time int, time2 int",
            "'case.insensitive'='false','mapping.time2'='TIME'",
            '{"time": 1, "TIME": 2}\n',
            [["1", "2"]],
        ),
        ("a array<int>", "", '{"a": 1}\n{"a": ""}\n', [["[1]"], [None]]),
        ("a timestamp", "", '{"a": "2013-03-01T10:00:00Z"}\n{"a": 1362132000}\n', [["2013-03-01 10:00:00.000"]] * 2),
    ],
)
def test_json_properties_of_the_openx_serde(
    athena: Athena, columns: str, properties: str, body: str, rows: list[list[str | None]]
) -> None:
    form = OPENX + (f" WITH SERDEPROPERTIES ({properties})" if properties else "")
    assert read(athena, columns, form, {"0": body}) == rows


@pytest.mark.parametrize(
    ("serde", "columns", "body", "reason"),
    [
        (OPENX, "a int", '{"a": 1, "A": 2}\n', 'JSONException: Duplicate key "a"'),
        (OPENX, "a int", "[1]\n", "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"),
        (OPENX, "a int", '{"a": \n', "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"),
        (OPENX, "a int", '{"a": 54953.0}\n', "HIVE_BAD_DATA: Error parsing field value '54953.0' for field 0"),
        (OPENX, "b string, a int", '{"a": "x"}\n', "HIVE_BAD_DATA: Error parsing field value 'x' for field 1"),
        (HIVE_JSON, "a int", '{"a": "12"}\n', "HIVE_BAD_DATA"),
        (HIVE_JSON, "a int", '{"a": 1.5}\n', "HIVE_BAD_DATA"),
        (HIVE_JSON, "a string", '{"a": {"b": 1}}\n', "must be a scalar json value"),
        (HIVE_JSON, "a array<int>", '{"a": 1}\n', "start of array expected"),
        (HIVE_JSON, "a int", "nothing\n", "HIVE_CURSOR_ERROR"),
    ],
)
def test_json_that_does_not_fit_fails(athena: Athena, serde: str, columns: str, body: str, reason: str) -> None:
    assert reason in read(athena, columns, serde, {"0": body})
