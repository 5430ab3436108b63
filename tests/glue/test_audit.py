"""Findings on staged rows, with the real Great Expectations over file:// URIs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import BrowserContext

from include.glue.errors import GlueJobError
from include.glue.storage import read_json, write_json
from include.workloads import Workload, load
from include.workloads.expectations import SuiteSpec
from include.workloads.schema import processed_columns
from tests.support.browser import browser
from tests.support.raw_objects import utc
from tests.support.tiny_workload import EXPECTATIONS, document, tiny_workload, write_workload

if TYPE_CHECKING:
    from include.glue.audit import AuditedDay

__all__ = ["browser"]

# Great Expectations takes seconds to import.
pytestmark = pytest.mark.stack
DAY = date(2013, 3, 1)
TYPES = {
    "string": pa.string(),
    "double": pa.float64(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us"),
}


Audit = Callable[..., "AuditedDay"]


@pytest.fixture
def staged(tmp_path: Path) -> Audit:
    """A function that writes a good day with changes, audits it and returns the day's part of audit.json."""
    from include.glue.audit import audit

    def run(
        rows: int = 20,
        nulls: int = 0,
        workload: Workload | None = None,
        counts: dict[str, Any] | None = None,
        price: float | None = 10.0,
        repeat: int = 0,
        report: dict[str, Any] | None = None,
        without: str | None = None,
        text: str = "a",
        joined: str | None = "m",
        reasons: dict[str, int] | None = None,
        tables: dict[str, Any] | None = None,
        recent: dict[str, str] | None = None,
    ) -> AuditedDay:
        workload = workload or tiny_workload(tmp_path / "workloads")
        at = utc(2013, 3, 1, 12)
        for event_type, size in (("offered", rows), ("rated", 5)):
            columns = [(name, kind) for name, kind in processed_columns(workload, event_type) if name != without]
            schema = pa.schema([(name, TYPES[kind]) for name, kind in columns])
            records = []
            for i in range(size):
                key = "k0" if i < repeat else f"k{i}"
                record = {"key": key, "item": None if i < nulls else text, "price": price, "stars": 5}
                record |= {"maker_name": joined}
                records.append({name: record.get(name, at if kind == "timestamp" else None) for name, kind in columns})
            target = tmp_path / "staging" / event_type / f"event_date={DAY}" / "part-0.parquet"
            target.parent.mkdir(parents=True)
            pq.write_table(pa.Table.from_pylist(records, schema), target)
        good = {"read": rows, "duplicates": 0, "quarantined": 0, "written": rows, **(counts or {})}
        days = {
            DAY.isoformat(): {"offered": good, "rated": {"read": 5, "duplicates": 0, "quarantined": 0, "written": 5}}
        }
        tables = {"makers": {"read": 4, "quarantined": 0}} if tables is None else tables
        document = (
            {"days": days, "tables": tables, "reasons": {str(DAY): {"offered": reasons or {}}}}
            if report is None
            else report
        )
        (tmp_path / "staging/report.json").write_text(json.dumps(document))
        (tmp_path / "recent.json").write_text(json.dumps({"workload": workload.name, "days": recent or {}}))
        staging, docs = f"file://{tmp_path}/staging/", f"file://{tmp_path}/docs/"
        result = audit(workload, [DAY], staging, docs, f"file://{tmp_path}/recent.json")
        assert read_json(f"file://{tmp_path}/staging/audit.json") == result
        return result["days"][DAY.isoformat()]

    return run


def test_a_good_day_passes_and_has_data_docs(staged: Audit, tmp_path: Path) -> None:
    day = staged()
    assert day["success"] and day["critical_failures"] == day["warnings"] == []
    assert day["statistics"]["offered"]["rows"] == 20
    pages = {path.name for path in (tmp_path / "docs").rglob("*.html")}
    assert "index.html" in pages and len(pages) >= 3


def test_twenty_per_cent_nulls_fail(staged: Audit) -> None:
    day = staged(nulls=4)
    assert not day["success"]
    assert day["critical_failures"] == [
        "offered: expect_column_values_to_not_be_null(item): 20.0 % unexpected, allowed are 5.0 %",
    ]


def test_five_per_cent_nulls_do_not(staged: Audit) -> None:
    assert staged(nulls=1)["success"]


def test_a_warning_does_not_fail(staged: Audit) -> None:
    day = staged(price=500.0)
    assert day["success"]
    (warning,) = day["warnings"]
    assert warning.startswith("offered: expect_column_mean_to_be_between(price): observed 500.0")


def test_no_rows_fail(staged: Audit) -> None:
    day = staged(rows=0)
    assert day["critical_failures"] == ["offered: no rows"]


def test_too_many_rows_fail(staged: Audit) -> None:
    assert staged(rows=1001)["critical_failures"] == ["offered: 1001 rows, expected 1 to 1000"]


def test_the_reasons_of_too_many_quarantined_rows_are_named(staged: Audit) -> None:
    none = {"read": 5, "duplicates": 0, "quarantined": 0, "written": 5}
    counts = {"read": 130, "duplicates": 0, "quarantined": 110, "written": 20}
    reasons = {"price: is missing": 7, "features: KeyError: 'boom'": 100, "a": 1, "item: is missing": 2}
    report = {
        "days": {str(DAY): {"offered": counts, "rated": none}},
        "tables": {"makers": {"read": 5, "quarantined": 0}},
        "reasons": {str(DAY): {"offered": reasons}},
    }
    (text,) = staged(report=report)["critical_failures"]
    assert text.endswith(
        "allowed are 25.0% because of features: KeyError: 'boom' (100 rows), price: is missing (7 rows), "
        "item: is missing (2 rows)"
    )


def test_too_many_quarantined_rows_fail(staged: Audit) -> None:
    day = staged(counts={"read": 30, "quarantined": 10})
    assert day["critical_failures"] == ["offered: 10 of 30 rows quarantined (33.3%), allowed are 25.0%"]


def test_versions_in_conflict_fail_if_they_are_many(staged: Audit) -> None:
    text = "offered: 19 rows (95.0%) have the same key, known_at, recorded_at as another row, allowed are 1.0%"
    assert text in staged(repeat=20)["critical_failures"]


def test_two_versions_of_one_millisecond_do_not_make_a_day_unpublishable(staged: Audit) -> None:
    """Raw is write-once: were this critical, nothing could ever be mended. A fixed order decides between the two."""
    day = staged(repeat=2)
    assert day["success"]
    text = "rows (5.0%) have the same key, known_at, recorded_at as another row, allowed are 1.0%"
    assert day["warnings"][0] == f"offered: 1 {text}"


def test_a_table_whose_rows_were_all_refused_fails(staged: Audit) -> None:
    day = staged(tables={"makers": {"read": 5, "quarantined": 5}})
    assert day["critical_failures"] == [
        "makers: 0 reference rows can be joined, expected at least 1",
        "makers: 5 of 5 reference rows quarantined (100.0%), allowed are 2.0%",
    ]


def test_some_refused_reference_rows_fail(staged: Audit) -> None:
    day = staged(tables={"makers": {"read": 40, "quarantined": 1}})
    assert day["critical_failures"] == ["makers: 1 of 40 reference rows quarantined (2.5%), allowed are 2.0%"]


def test_a_workload_may_tolerate_refused_and_missing_reference_rows(staged: Audit, tmp_path: Path) -> None:
    suites = {**EXPECTATIONS, "tables": {"makers": {"rows": 0, "quarantine": 1}}}
    write_workload(tmp_path / "tolerant", workload=document(), expectations=suites)
    workload = load("shop", tmp_path / "tolerant")
    assert staged(workload=workload, tables={"makers": {"read": 5, "quarantined": 5}})["success"]


def test_a_table_that_the_report_does_not_know_fails(staged: Audit) -> None:
    assert staged(tables={})["critical_failures"] == ["makers: the transform's report does not have this table"]


def test_a_join_that_found_nothing_is_warned_of(staged: Audit) -> None:
    assert staged(joined=None)["warnings"] == ["offered: no row of makers was joined to any of the 20 rows"]


def test_an_expectation_on_a_column_of_nulls_is_not_met(staged: Audit) -> None:
    assert staged(price=None)["warnings"] == [
        "offered: expect_column_mean_to_be_between(price): says nothing, because all 20 values of price are null"
    ]


def recent_days(folder: Path, days: list[str], rows: int) -> dict[str, str]:
    """The statistics of days with so many rows, as the audits of those days have written them."""
    uris = {}
    for day in days:
        uris[day] = f"file://{folder}/recent/{day}.json"
        write_json(uris[day], {"offered": {"rows": rows, "delay": [0, 0, 0], "columns": {}}})
    return uris


WEEK = [f"2013-02-{day}" for day in range(22, 29)]


def test_a_day_is_compared_with_published_days_before_it_and_they_are_recorded(staged: Audit, tmp_path: Path) -> None:
    recent = recent_days(tmp_path, [*WEEK, "2013-03-01", "2013-03-02", "2013-01-31"], 100)
    day = staged(recent={**recent, "2013-02-20": f"file://{tmp_path}/written-by-an-older-release.json"})
    assert day["compared"] == WEEK and day["notes"] == []
    assert day["critical_failures"] == [
        "offered: volume: 20 rows, from 100 to 100 on 7 recent days (2013-02-22 to 2013-02-28); measure 5.00, limit 1.4"
    ]
    assert day["findings"][0]["name"] == "offered.volume"


def test_a_day_without_enough_recent_days_passes_with_a_note(staged: Audit, tmp_path: Path) -> None:
    day = staged(recent=recent_days(tmp_path, WEEK[1:], 100))
    assert day["success"]
    assert day["notes"] == ["compared with 6 recent days: a comparison needs 7, so it was left out"]


def test_the_statistics_of_a_day_are_kept_and_hold_no_text_of_rows(staged: Audit, tmp_path: Path) -> None:
    staged(text="secret")
    text = (tmp_path / f"staging/statistics/event_date={DAY}.json").read_text()
    statistics = json.loads(text)
    assert statistics["offered"]["rows"] == 20
    price = {"nulls": 0.0, "distinct": 1, "top": 1.0, "mean": 10.0, "std": 0.0}
    assert statistics["offered"]["columns"]["price"] == price
    assert "secret" not in text


def test_days_of_one_audit_that_passed_count_for_those_after_them(tmp_path: Path) -> None:
    from include.glue.recent_days import RecentDays

    recent = RecentDays(recent_days(tmp_path, WEEK, 100))
    newer: Any = {"offered": {"rows": 5, "delay": [], "columns": {}}}
    recent.add(date(2013, 2, 28), newer)
    assert recent.before(DAY)["2013-02-28"] == newer
    assert list(recent.before(date(2013, 2, 28))) == WEEK[:-1]
    for day in range(1, 16):
        recent.add(date(2013, 3, day), newer)
    assert list(recent.before(date(2013, 3, 20))) == [f"2013-03-{day:02}" for day in range(2, 16)]


HOSTILE = '<script>document.title="owned"</script><img src="http://192.0.2.1/x.png" onerror="alert(1)">'


@pytest.fixture
def hostile(staged: Audit, tmp_path: Path) -> Path:
    """The folder of the Data Docs of a day whose values, reasons and errors are markup."""
    types = ("expect_column_distinct_values_to_be_in_set", "expect_column_values_to_be_in_set")
    several = [{"type": name, "column": "item", "value_set": ["b"], "severity": "critical"} for name in types]
    common = {"type": "expect_column_most_common_value_to_be_in_set", "column": "item", "value_set": ["b"]}
    broken = {"type": "expect_column_mean_to_be_between", "column": "item", "min_value": 0, "severity": "critical"}
    expectations = [*several, {**common, "severity": "critical"}, broken]
    suites = {**EXPECTATIONS, "offered": {**EXPECTATIONS["offered"], "expectations": expectations}}
    write_workload(tmp_path / "hostile", workload=document(), expectations=suites)
    staged(workload=load("shop", tmp_path / "hostile"), text=HOSTILE, reasons={HOSTILE: 3})
    return tmp_path / "docs"


def test_data_docs_load_nothing_and_contain_no_markup_of_values(
    hostile: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert [record.message for record in caplog.get_records("setup") if record.levelname == "ERROR"] == []
    pages = sorted(hostile.rglob("*.html"))
    assert len(pages) == 5
    for path in pages:
        text = path.read_text()
        tags = {tag.lower() for tag in re.findall(r"<\s*([a-zA-Z]+)", text)}
        assert not tags & {"script", "img", "link", "iframe", "object", "svg"}, path
        assert not re.search(r"<[^>]*\b(src|on\w+)\s*=", text), path
        assert not re.search(r"href=.(https?:|//|javascript:)", text), path
        assert 'http-equiv="Content-Security-Policy"' in text
    assert not [path for path in pages if "&amp;lt;" in path.read_text()], "escaped twice"
    assert "&lt;script&gt;" in (hostile / f"days/{DAY}.html").read_text(), "the reason is shown as text"


def test_data_docs_open_in_a_browser_without_network_and_run_nothing(hostile: Path, browser: BrowserContext) -> None:
    page = browser.new_page()
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda line: problems.append(line.text))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    for path in sorted(hostile.rglob("*.html")):
        page.goto(f"file://{path}")
        assert page.title() not in ("", "owned")
        assert page.locator("script, img").count() == 0
        assert len(page.inner_text("body")) > 50
        for link in page.locator("a[href]").all():
            target = (link.get_attribute("href") or "").split("#")[0]
            assert not target or (path.parent / target).is_file(), (path, target)
    page.goto(f"file://{hostile}/index.html")
    page.get_by_role("link", name=DAY.isoformat()).click()
    assert page.get_by_text("failed").first.is_visible()
    assert all(url.startswith("file://") for url in requests)
    assert problems == []
    page.close()


RULES: list[dict[str, Any]] = [
    {"type": "expect_column_values_to_not_be_null", "column": "item", "mostly": 0.9},
    {"type": "expect_column_values_to_match_regex", "column": "item", "regex": "^[a-z]$", "mostly": 0.9},
    {"type": "expect_column_values_to_match_regex", "column": "stock", "regex": "^\\d+$"},
    {"type": "expect_column_value_lengths_to_be_between", "column": "item", "max_value": 2},
    {"type": "expect_column_values_to_be_in_set", "column": "stock", "value_set": [0, 1, 2], "mostly": 0.5},
    {"type": "expect_column_values_to_be_between", "column": "price", "min_value": 1, "max_value": 15},
    {
        "type": "expect_column_values_to_be_between",
        "column": "price",
        "max_value": 1,
        "row_condition": 'item=="b"',
        "condition_parser": "pandas",
    },
    {"type": "expect_column_pair_values_a_to_be_greater_than_b", "column_A": "price", "column_B": "stock"},
    {"type": "expect_column_values_to_be_unique", "column": "key"},
    {"type": "expect_column_mean_to_be_between", "column": "price", "min_value": 5, "max_value": 12},
    {"type": "expect_column_distinct_values_to_be_in_set", "column": "item", "value_set": ["a", "b"]},
    {"type": "expect_compound_columns_to_be_unique", "column_list": ["key", "item"]},
    {"type": "expect_table_row_count_to_be_between", "max_value": 40},
]
CHANGES: dict[str, Callable[[int], dict[str, Any]]] = {
    "2013-03-01": lambda number: {},
    "2013-03-02": lambda number: {"item": None if number < 3 else "a"},
    "2013-03-03": lambda number: {"price": 10.0 if number else 100.0, "stock": None if number < 2 else number},
    "2013-03-04": lambda number: {"item": "bbb" if number < 9 else "b", "price": float("nan") if number < 5 else 3.0},
    "2013-03-05": lambda number: {"key": f"k{number // 2}"},
}


@pytest.fixture
def range_of_days(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A function that audits some of the days of CHANGES, of which one lacks a column, together."""
    from include.glue.audit import audit

    rules = [{**rule, "severity": "critical"} for rule in RULES]
    suites = {**EXPECTATIONS, "offered": {**EXPECTATIONS["offered"], "expectations": rules}}
    write_workload(tmp_path / "workloads", workload=document(), expectations=suites)
    workload = load("shop", tmp_path / "workloads")
    kinds = {event_type: dict(processed_columns(workload, event_type)) for event_type in workload.events}
    for day, change in CHANGES.items():
        at = utc(2013, 3, 1, 12)
        for event_type in workload.events:
            schema = pa.schema([(name, TYPES[kind]) for name, kind in kinds[event_type].items()])
            usual = {"item": "a", "price": 10.0, "stars": 5, "stock": 1, "maker_name": "m"}
            records = [{**usual, "key": f"k{number}", **change(number)} for number in range(20)]
            times = {name: at for name, kind in kinds[event_type].items() if kind == "timestamp"}
            rows = pa.Table.from_pylist([{**times, **record} for record in records], schema)
            if day == "2013-03-05" and event_type == "offered":
                rows = rows.drop_columns(["stock"])
            target = tmp_path / f"staging/{event_type}/event_date={day}/part-0.parquet"
            target.parent.mkdir(parents=True)
            pq.write_table(rows, target)
    counts = {"read": 20, "duplicates": 0, "quarantined": 0, "written": 20}
    report = {day: dict.fromkeys(workload.events, counts) for day in CHANGES}
    write_json(f"file://{tmp_path}/staging/report.json", {"days": report, "tables": {}, "reasons": {}})
    write_json(f"file://{tmp_path}/recent.json", {"workload": "shop", "days": {}})

    def run(*days: str) -> dict[str, Any]:
        wanted = [date.fromisoformat(day) for day in days]
        places = (f"file://{tmp_path}/staging/", f"file://{tmp_path}/docs/", f"file://{tmp_path}/recent.json")
        return {**audit(workload, wanted, *places)["days"]}

    return run


def test_a_day_of_a_range_has_the_verdict_that_it_has_alone(range_of_days: Callable[..., dict[str, Any]]) -> None:
    together = range_of_days(*CHANGES)
    assert together == {day: range_of_days(day)[day] for day in CHANGES}
    rules = {
        day: {one["name"].removeprefix("offered.") for one in found["findings"] if ".expect_" in one["name"]}
        for day, found in together.items()
    }
    assert rules["2013-03-01"] == set()
    assert rules["2013-03-02"] == {"expect_column_values_to_not_be_null(item)"}
    assert rules["2013-03-03"] == {
        "expect_column_values_to_match_regex(stock)",
        "expect_column_values_to_be_in_set(stock)",
        "expect_column_values_to_be_between(price)",
        "expect_column_mean_to_be_between(price)",
        "expect_column_pair_values_a_to_be_greater_than_b(price, stock)",
    }
    assert "expect_column_value_lengths_to_be_between(item)" in rules["2013-03-04"]
    assert "expect_column_values_to_be_unique(key)" in rules["2013-03-05"]
    without = {text for text in together["2013-03-05"]["critical_failures"] if "could not be evaluated" in text}
    assert len(without) == 3 and all('"stock"' in text for text in without), "the column that this day lacks"


def test_a_large_day_is_read_in_parts_and_found_to_be_the_same(
    range_of_days: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def statistics() -> list[str]:
        return [(tmp_path / f"staging/statistics/event_date={day}.json").read_text() for day in CHANGES]

    whole, of_whole = range_of_days(*CHANGES), statistics()
    monkeypatch.setattr("include.glue.day_rows.CHUNK_ROWS", 7)
    monkeypatch.setattr("include.glue.validated_days.CHUNK_ROWS", 7)
    assert range_of_days(*CHANGES) == whole
    assert statistics() == of_whole


def test_every_day_of_a_range_has_a_page_with_its_results(
    range_of_days: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    range_of_days(*CHANGES)
    for day in CHANGES:
        text = (tmp_path / f"docs/days/{day}.html").read_text()
        assert text.count("<td>expect_column_mean_to_be_between(price)</td>") == 1
    text = (tmp_path / "docs/days/2013-03-02.html").read_text()
    assert "<td>expect_column_values_to_not_be_null(item)</td><td>no</td><td>15.0 % unexpected" in text
    ours = [path.parts for path in (tmp_path / "docs/great_expectations/validations").rglob("*.html")]
    assert {day for day in CHANGES if any(day in parts for parts in ours)} == set(CHANGES)


def test_rows_that_the_report_does_not_know_fail(staged: Audit) -> None:
    assert staged(counts={"written": 19})["critical_failures"] == [
        "offered: 20 rows were found, but the transform's report has 19"
    ]


def test_a_day_that_the_report_does_not_know_fails(staged: Audit) -> None:
    day = staged(report={"days": {}, "tables": {}, "reasons": {}})
    assert "offered: the transform's report does not have this day" in day["critical_failures"]


def test_an_expectation_that_cannot_be_evaluated_is_critical_whatever_its_severity(staged: Audit) -> None:
    day = staged(without="price")
    (failure,) = day["critical_failures"]
    assert failure.startswith("offered: expect_column_mean_to_be_between(price): could not be evaluated")


def test_an_argument_that_great_expectations_refuses_stops_the_audit() -> None:
    """The loader refuses it before; here it has other names and types than the library."""
    from include.glue.expectations import gx_suite

    matches = "expect_column_values_to_match_regex"
    broken = {"type": matches, "column": "item", "regex": ["a", "b"], "severity": "warning"}
    suite = SuiteSpec.model_validate({"quarantine": 0, "expectations": [broken]})
    with pytest.raises(GlueJobError, match=f"cannot make {matches}"):
        gx_suite("offered", suite)


def test_the_expectations_of_every_workload_exist() -> None:
    from include.glue.expectations import gx_suite
    from include.workloads import discover

    for workload in discover()[0]:
        for event_type, suite in workload.suites.items():
            assert len(gx_suite(event_type, suite).expectations) == len(suite.expectations)
