"""Findings on staged rows, with the real Great Expectations over file:// URIs."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.glue.errors import GlueJobError
from include.workloads import load
from include.workloads.expectations import SuiteSpec
from tests.support.audits import DAY, Audit, staged
from tests.support.tiny_workload import EXPECTATIONS, document, write_workload

__all__ = ["staged"]

# Great Expectations takes seconds to import.
pytestmark = pytest.mark.stack


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
