"""Label expressions that pass the loader's check are SQL for Athena, by a full SQL parser."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot.errors import SqlglotError

from include.workloads.label_expression import LabelExpressionError, check_label_expression

COLUMNS = {"stars": "integer", "text": "string", "liked": "boolean", "at": "timestamp", "price": "number"}


@pytest.mark.parametrize(
    "expression",
    [
        "stars >= 4",
        "liked",
        "\"stars\" > 3 AND NOT (text = 'it''s')",
        "stars IS NOT NULL and stars is distinct from 3",
        "text LIKE 'a%' ESCAPE '!' or text not in ('a', 'b') or stars not between 1 and -2",
        "coalesce(stars, 0) + 1.5e3 * price % 2 > .5",
        "regexp_like(text, 'a|b')",
        "case when stars > 3 then true when stars is null then null else false end",
        "case stars when 1 then liked else not liked end",
        "cast(stars as decimal(10, 2)) > decimal '1.5' and try_cast(text as boolean)",
        "at > timestamp '2013-01-01 00:00:00' - interval '1' day",
        "text || 'x' = 'bx'",
        "Stars <> 3 or STARS != 4",
        "now() > at",
    ],
)
def test_an_expression_that_athena_accepts_passes(expression: str) -> None:
    check_label_expression(expression, COLUMNS)
    sqlglot.parse_one(f"select {expression} from t", read="athena")


_PARTS = [
    "stars", "text", "liked", "price", "4", "'a'", "(", ")", "+", "-", "*", ">", "=", "and", "or", "not", "is", "null",
    "in", "between", "like", ",", "case", "when", "then", "else", "end",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PARTS), min_size=1, max_size=9))
def test_what_passes_is_sql(parts: list[str]) -> None:
    """Never accepts what a full SQL parser refuses."""
    expression = " ".join(parts)
    try:
        check_label_expression(expression, COLUMNS)
    except LabelExpressionError:
        return
    try:
        sqlglot.parse_one(f"select ({expression}) as x from t", read="athena")
    except SqlglotError as error:
        pytest.fail(f"{expression}: {error}")
