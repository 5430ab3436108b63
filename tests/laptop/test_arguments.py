"""Mistakes on the command line are said in the words of make."""

from __future__ import annotations

import pytest

from infra.laptop.__main__ import parser


def error(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(argv)
    assert ended.value.code == 2
    text = capsys.readouterr().err
    assert "--" not in text and "usage:" not in text
    return text.strip()


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (
            ["process"],
            "WORKLOAD= and DATE= are missing. For example: make process WORKLOAD=flights DATE=2013-06-20",
        ),
        (["retrain", "--workload=flights"], "DATE= is missing. For example: make retrain"),
        (["process", "--workload=flights", "--date=yesterday"], "DATE=: 'yesterday' is no date; write it like 2013"),
        (["process", "--workload=flihgts", "--date=2013-06-20"], "no workload 'flihgts'. Did you mean flights?"),
        (["deploy", "--workload=flights", "--version=newest"], "VERSION=: 'newest' is no version; give a number, pre"),
        (["query"], 'SQL= is missing. For example: make query SQL="'),
        (["logs", "--what=scheduler", "--lines=few"], "LINES=: 'few' is not a number of lines"),
    ],
)
def test_a_mistake_names_the_make_variable(argv: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert text in error(capsys, *argv)


def test_what_is_right_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    given = parser().parse_args(["deploy", "--workload=flights", "--version=previous", "--release-hold"])
    assert (given.workload, given.version, given.release_hold) == ("flights", "previous", True)
    given = parser().parse_args(["airflow", "--", "dags", "list", "--output", "json"])
    assert given.args[1:] == ["dags", "list", "--output", "json"]
