"""The JSON that PostgreSQL prints is, byte for byte, the one that is made of its texts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from nightjar.tables.snapshot import snapshot

from tests.support.postgres_db import SECRET

pytestmark = pytest.mark.stack
TEXTS = [
    "", "plain",
    'quote " slash / back \\ \\\\ \\n \\N', "tab\tline\nreturn\rback\bfeed\f", "\x01\x1b\x1f\x7f", "é€😀\u2028",
    "\\u0000", "%s %% %1$s", "null", "{}", "\ufeff\uffff",
]  # fmt: skip
TIMES = [
    "2013-03-01 10:00:00.000001+02", "0001-01-01 00:00:00+00", "0999-12-31 23:59:59.999999+00",
    "9999-12-31 23:59:59+00",
    "9999-12-31 23:59:59.9999995+00", "0001-01-02 BC", "infinity",
]  # fmt: skip
VALUES = {
    "text": TEXTS,
    "varchar(40)": TEXTS,
    "char(9)": ["a", " é"],
    "name": ["n"],
    "int2": ["-32768"],
    "int4": ["0"],
    "int8": ["9223372036854775807"],
    "oid": ["7"],
    "money": ["-1234.5"],
    "numeric": ["0", "-0.10", "123456789012345678901234567890.1234567890", "1e400", "1e-20", "NaN"],
    "float4": ["0.1", "1e-45", "3.4028235e38", "-0", "Infinity"],
    "float8": ["0.1", "5e-324", "1e22", "1e15", "-0", "NaN"],
    "bool": ["t", "f"],
    "timestamptz": TIMES,
    "timestamp": TIMES,
    "date": ["2013-03-01", "0001-01-01", "9999-12-31", "9999-12-30", "5874897-12-31"],
    "time": ["24:00:00", "10:00:00.5"],
    "timetz": ["10:00:00+02"],
    "interval": ["1 mon -3 days 04:05:06.789"],
    "uuid": ["7d444840-9dc0-11d1-b245-5ffdce74fad2"],
    "bytea": ["\\x00ff"],
    "inet": ["10.0.0.1/8"],
    "json": ['{"a":\r\n\t1.00, "é":"\\u0000 \\" \x7f"}', '[1, 1.50]', '"\\ud83d"', " null "],
    "jsonb": ['{"a": [1, "é\\\\"]}', "0.12345678901234567890"],
    "text[]": ['{a,NULL,"b \\" é"}', "{}"],
    "float8[]": ["{1,NaN}"],
    "timestamptz[]": ["{2013-03-01}"],
    "pair": ['(1,"a \\" b")', "(,é)"],
    "whole": ["7"],
    "int4range": ["[1,5)"],
}  # fmt: skip


def test_every_value_of_every_type_is_printed_as_python_prints_it(db: Any) -> None:
    db.execute("CREATE TYPE pair AS (a int4, b text); CREATE DOMAIN whole AS int4 CHECK (value > 0)")
    columns = {f"c{number}": type_ for number, type_ in enumerate(VALUES)}
    made = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
    db.execute(f"CREATE TABLE printed (n int4, {made}, updated_at timestamptz, last float8)".encode())
    number = 0
    for name, type_ in columns.items():
        for value in [*VALUES[type_], None]:
            # The row's last value decides who makes its JSON: PostgreSQL cannot where it is no finite number.
            db.execute(
                f"INSERT INTO printed (n, {name}, updated_at, last) SELECT %s, %s::text::{type_}, '2013-06-01', last "
                "FROM unnest('{1,NaN}'::float8[]) AS last".encode(),
                (number, value),
            )
            number += 1
    fast = 0
    for kind in ("string", "integer", "number", "boolean", "timestamp"):
        fields = {name: (name, kind) for name in columns}
        fields |= {"n": ("n", "integer"), "updated_at": ("updated_at", "timestamp"), 'é "%s"': ("last", "number")}
        with snapshot(SECRET) as source, source.table("printed", fields, "updated_at", "America/New_York") as table:
            rows: dict[bool, dict[int, Any]] = {True: {}, False: {}}
            for row in table.rows(None):
                text, _, last = row.text.rpartition(":")
                poisoned = last == '"NaN"}'
                refused = row.refused.replace('é "%s": is not a finite number', "").removesuffix("; ")
                rows[poisoned][json.loads(row.text)["n"]] = (text, row.written_at, refused)
                assert poisoned or last == "1}"
        assert len(rows[False]) == number and rows[True] == rows[False]
        fast += sum(not refused for _, _, refused in rows[False].values())
    assert fast > 4 * number
