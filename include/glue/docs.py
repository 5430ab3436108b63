"""Data Docs: a page for each day and Great Expectations' own pages, written to the run's prefix.

They need no network and run no script (:mod:`include.glue.markup`).
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import great_expectations as gx
from great_expectations.core import (
    ExpectationSuite,
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
    RunIdentifier,
)
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.data_context.types.resource_identifiers import (
    ExpectationSuiteIdentifier,
    ValidationResultIdentifier,
)
from great_expectations.validator.validator import calc_validation_statistics

from include.glue.day_page import GREAT_EXPECTATIONS, day_page, index_page
from include.glue.expectations import observations
from include.glue.markup import clean_page
from include.glue.storage import join_uri, write_bytes
from include.lake.layout import DATA_DOCS_PAGE
from include.workloads.expectations import SuiteSpec

if TYPE_CHECKING:
    from great_expectations.data_context.store.store import DataDocsSiteConfigTypedDict

    from include.glue.audit_document import AuditedDay
    from include.glue.report import ReportDocument

_SITE = "docs"


class Docs:
    """Collects what an audit found, and writes its pages.

    Great Expectations' own page of a day takes as long as the day's whole audit. It is made of days on which an
    expectation is not met, and of the first day; every day has a page with all results.

    Args:
        workload: The workload's name.
    """

    def __init__(self, workload: str) -> None:
        self._workload = workload
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        self._suites: set[str] = set()
        self._evaluated: defaultdict[str, dict[str, list[tuple[str, str, str]]]] = defaultdict(dict)
        self._run_time = datetime.now(UTC)

    def add(
        self, suite: SuiteSpec, gx_suite: ExpectationSuite, day: date, results: Sequence[ExpectationValidationResult]
    ) -> None:
        """Adds what Great Expectations found on one day of one event type.

        Args:
            suite: What the workload expects of the event type.
            gx_suite: The same as Great Expectations' suite; it has the event type's name.
            day: The day.
            results: The result of each expectation.
        """
        if not results:
            return
        self._evaluated[day.isoformat()][gx_suite.name] = observations(suite, results)
        is_first = gx_suite.name not in self._suites
        if is_first:
            self._suites.add(gx_suite.name)
            self._context.suites.add(gx_suite)
        if not is_first and all(result.success for result in results):
            return
        identifier = ValidationResultIdentifier(
            ExpectationSuiteIdentifier(gx_suite.name),
            RunIdentifier(run_name=day.isoformat(), run_time=self._run_time),
            f"{self._workload}-{gx_suite.name}",
        )
        shown = [_shown(result) for result in results]
        statistics = calc_validation_statistics(shown)
        result = ExpectationSuiteValidationResult(
            success=statistics.success,
            results=shown,
            suite_name=gx_suite.name,
            statistics=statistics._asdict(),
            meta={"run_id": identifier.run_id, "validation_time": self._run_time},
        )
        self._context.validation_results_store.set(identifier, result)

    def write(self, target: str, days: Mapping[str, AuditedDay], report: ReportDocument) -> str:
        """Writes the pages.

        Args:
            target: URI of the prefix to write to.
            days: What was found, by day (ISO).
            report: The transform's report.

        Returns:
            URI of the first page.
        """
        for day, audited in days.items():
            page = day_page(self._workload, day, audited, report, self._evaluated[day])
            write_bytes(join_uri(target, "days", f"{day}.html"), page.encode())
        with tempfile.TemporaryDirectory(prefix="nightjar-docs-") as folder:
            site: DataDocsSiteConfigTypedDict = {
                "class_name": "SiteBuilder",
                "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder},
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            }
            self._context.add_data_docs_site(site_name=_SITE, site_config=site)
            self._context.build_data_docs(site_names=[_SITE])
            for path in sorted(Path(folder).rglob("*.html")):
                name = path.relative_to(folder).as_posix()
                write_bytes(join_uri(target, GREAT_EXPECTATIONS, name), clean_page(path.read_text("utf-8")).encode())
        first = join_uri(target, DATA_DOCS_PAGE)
        write_bytes(first, index_page(self._workload, days).encode())
        return first


def _shown(result: ExpectationValidationResult) -> ExpectationValidationResult:
    """A result for Great Expectations' pages, which put texts into the markup as they are."""
    observed = dict(result.result)
    if "unexpected_percent" not in observed:
        observed.pop("unexpected_count", None)  # the pages show the two together, or fail
    return ExpectationValidationResult(
        success=result.success,
        expectation_config=result.expectation_config,
        result=_escaped(observed),
        exception_info=_escaped(result.exception_info or {}),
    )


def _escaped(value: Any) -> Any:
    """Returns a JSON value with every text in it as HTML."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {key: _escaped(item) for key, item in value.items()}
    return [_escaped(item) for item in value] if isinstance(value, list | tuple) else value
