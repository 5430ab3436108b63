"""Label expressions: a mistake is named before anything runs (tests/sql has what passes)."""

from __future__ import annotations

import pytest

from include.workloads.label_expression import LabelExpressionError, check_label_expression

COLUMNS = {"stars": "integer", "text": "string", "liked": "boolean", "at": "timestamp", "price": "number"}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("star >= 4", "star is no column of the label event; did you mean stars?"),
        ("delay > 4", "delay is no column of the label event; it may use stars, text"),
        ("stars >", "it ends too early"),
        ("stars > 4 and", "it ends too early"),
        ("(stars > 4", "it ends too early: ) is expected"),
        ("stars > 4)", ") (character 10) is out of place"),
        ("stars > > 4", "> (character 9) is out of place"),
        ("stars 4", "4 (character 7) is out of place"),
        ("stars in ()", ") (character 11) is out of place"),
        ("stars between 1", "AND is expected"),
        ("text = 'x", '"\'" (character 8)'),
        ("stars == 4", "= (character 8) is out of place"),
        ("stars > 4; drop table x", "';' (character 10)"),
        ("stars > 4 -- all", "'-' (character 11)"),
        ("stars", "is an integer, but a label is true or false"),
        ("stars + 1", "is a number"),
        ("'yes'", "is a string"),
        ("stars and liked", "joins an integer with AND"),
        ("not stars", "NOT"),
        ("sum(stars) > 3", "sum() needs many rows"),
        ("stars > (select 4)", "a label is computed from one row"),
        ("case stars end", "WHEN is expected"),
        ("cast(stars integer) > 1", "AS is expected"),
        ("", "it ends too early"),
    ],
)
def test_a_mistake_is_named(expression: str, text: str) -> None:
    with pytest.raises(LabelExpressionError) as caught:
        check_label_expression(expression, COLUMNS)
    assert text in str(caught.value)
