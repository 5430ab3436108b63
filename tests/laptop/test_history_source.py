"""A workload's history: opened from its folder, and an error of it names the file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from infra.laptop import history_source
from infra.laptop.config import LaptopError
from infra.laptop.history_source import HistorySource, has_history

START, END = date(2013, 6, 1), date(2013, 6, 2)
DESCRIPTION = "first_day = 2013-01-01\nlast_day = 2013-12-31\n[files.'rows.csv']\nmember = 'm'\nsha256 = 's'\n"
SOURCE = """
DDL = {"shops": "create table shops ()"}
def events(data, start, end):
    for line in (data / "rows.csv").read_text().split():
        yield {"event_type": "sold", "key": line, "event_time": start, "recorded_at": start, "payload": {}}
def tables(data):
    return {"shops": iter([{"id": 1}])}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The history folder of the workload ``shop``, with its data below ``tmp_path/data``."""
    import include.workloads

    history = tmp_path / "workloads" / "shop" / "history"
    history.mkdir(parents=True)
    (history / "source.py").write_text(SOURCE)
    (history / "history.toml").write_text(DESCRIPTION)
    (tmp_path / "data" / "shop").mkdir(parents=True)
    (tmp_path / "data" / "shop" / "rows.csv").write_text("a b")
    monkeypatch.setattr(history_source, "WORKLOADS", tmp_path / "workloads")
    monkeypatch.setattr(include.workloads, "__path__", [*include.workloads.__path__, str(tmp_path / "workloads")])
    yield history
    for name in [name for name in sys.modules if name.startswith("include.workloads.shop")]:
        del sys.modules[name]


def opened(folder: Path) -> HistorySource:
    return HistorySource.open("shop", folder.parents[2] / "data")


def test_events_and_tables_come_from_the_folder(folder: Path) -> None:
    source = opened(folder)
    assert has_history("shop") and not has_history("ads")
    assert (source.first, source.last) == (date(2013, 1, 1), date(2013, 12, 31))
    assert [(event["key"], event["recorded_at"]) for event in source.events(START, END)] == [("a", START), ("b", START)]
    assert source.tables() == {"shops": [{"id": 1}]} and source.ddl() == ["create table shops ()"]


def test_days_that_the_history_does_not_have_are_named(folder: Path) -> None:
    source = opened(folder)
    source.require_days(date(2013, 1, 1), date(2013, 12, 31))
    for first, last in ((date(2012, 12, 31), START), (START, date(2014, 1, 1))):
        with pytest.raises(LaptopError, match=f"has the days 2013-01-01 to 2013-12-31, not all of {first} to {last}"):
            source.require_days(first, last)


def test_events_may_be_recorded_ahead_of_their_day(folder: Path) -> None:
    assert opened(folder).recorded_ahead == timedelta(0)
    (folder / "history.toml").write_text("recorded_ahead_days = 2\n" + DESCRIPTION)
    assert opened(folder).recorded_ahead == timedelta(days=2)


def test_a_port_offset_is_read_and_a_wrong_one_ignored(folder: Path) -> None:
    assert history_source.port_offsets(["shop", "ads"]) == {}
    for text, expected in (("port_offset = 2", {"shop": 2}), ("port_offset = -1", {}), ("port_offset", {})):
        (folder / "history.toml").write_text(text)
        assert history_source.port_offsets(["shop"]) == expected


def test_a_workload_without_history_is_told_where_it_belongs(folder: Path) -> None:
    with pytest.raises(
        LaptopError, match=r"Workload ads has no history to replay\. Add include/workloads/ads/history/"
    ):
        HistorySource.open("ads", folder)


def test_data_that_were_not_fetched_are_named(folder: Path) -> None:
    (folder.parents[2] / "data" / "shop" / "rows.csv").unlink()
    with pytest.raises(LaptopError, match=r"lacks rows\.csv. Run `scripts/setup.sh run`"):
        opened(folder)


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        ("[]", r"TypeError: tables\(data\) is \[\], not a mapping with texts as names"),
        ("{1: []}", r"tables\(data\) is \{1: \[\]\}, not a mapping"),
        ("{'shops': None}", "TypeError: the rows of table shops are None"),
        ("{'shops': ('a', 1)}", "a row of table shops is 'a', not a mapping with texts as names"),
        ("{'shops': [{'id': 1}, ('b', 2)]}", r"a row of table shops is \('b', 2\), not a mapping"),
        ("{'shops': [{1: 'id'}]}", r"a row of table shops is \{1: 'id'\}, not a mapping"),
        (
            "{'shops': [{'id': 1}, {'id': 2, 'b': 3}]}",
            "ValueError: the rows of table shops have different columns: only some have b",
        ),
    ],
)
def test_tables_of_a_wrong_form_name_the_file_and_the_table(folder: Path, tables: str, reason: str) -> None:
    (folder / "source.py").write_text(f"def tables(data):\n    return {tables}\n")
    with pytest.raises(LaptopError, match=f"shop/history/source.py cannot be used: .*{reason}"):
        opened(folder).tables()


@pytest.mark.parametrize("ddl", ["['create table shops ()']", "{'shops': 5}"])
def test_statements_of_a_wrong_form_name_the_file(folder: Path, ddl: str) -> None:
    (folder / "source.py").write_text(f"DDL = {ddl}\n")
    with pytest.raises(LaptopError, match=r"shop/history/source\.py cannot be used: TypeError: .*DDL is .*, not a"):
        opened(folder).ddl()


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("history.toml", "first_day", "history.toml cannot be used: TOMLDecodeError"),
        ("history.toml", "last_day = 2013-12-31", "history.toml cannot be used: lacks the field 'first_day'"),
        ("history.toml", "first_day = 1", "history.toml cannot be used: TypeError: first_day must be a date"),
        ("source.py", "import no_such_module", "source.py cannot be used: ModuleNotFoundError"),
        ("source.py", "def events(data, start, end):\n    raise OSError('no disk')\n", "OSError: no disk"),
        ("source.py", "", "AttributeError"),
        (
            "source.py",
            "def events(data, start, end):\n    yield {'key': 'k', 'payload': {}}\n",
            "the event 'k' lacks event_time",
        ),
    ],
)
def test_a_mistake_in_the_history_names_its_file(folder: Path, file: str, text: str, reason: str) -> None:
    (folder / file).write_text(text)
    with pytest.raises(LaptopError, match="include/workloads/shop/history/") as caught:
        list(opened(folder).events(START, END))
    assert reason in str(caught.value)
