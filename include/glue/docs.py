"""Data Docs: a page for each day and Great Expectations' own pages, written to the run's prefix.

They need no network and run no script (:mod:`include.glue.markup`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from great_expectations.data_context import AbstractDataContext

from include.glue.day_page import GREAT_EXPECTATIONS, day_page, index_page
from include.glue.markup import clean_page
from include.glue.storage import join_uri, write_bytes
from include.lake.layout import DATA_DOCS_PAGE

if TYPE_CHECKING:
    from great_expectations.data_context.store.store import DataDocsSiteConfigTypedDict

    from include.glue.audit_document import AuditedDay
    from include.glue.report import ReportDocument

_SITE = "docs"


def write_docs(
    context: AbstractDataContext,
    target: str,
    workload: str,
    days: Mapping[str, AuditedDay],
    report: ReportDocument,
) -> str:
    """Writes the pages of an audit.

    Args:
        context: The GX context, with the validations of the audit.
        target: URI of the prefix to write to.
        workload: The workload's name.
        days: What was found, by day (ISO).
        report: The transform's report.

    Returns:
        URI of the first page.
    """
    for day, audited in days.items():
        write_bytes(join_uri(target, "days", f"{day}.html"), day_page(workload, day, audited, report).encode())
    with tempfile.TemporaryDirectory(prefix="nightjar-docs-") as folder:
        site: DataDocsSiteConfigTypedDict = {
            "class_name": "SiteBuilder",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        }
        context.add_data_docs_site(site_name=_SITE, site_config=site)
        context.build_data_docs(site_names=[_SITE])
        for path in sorted(Path(folder).rglob("*.html")):
            name = path.relative_to(folder).as_posix()
            write_bytes(join_uri(target, GREAT_EXPECTATIONS, name), clean_page(path.read_text("utf-8")).encode())
    first = join_uri(target, DATA_DOCS_PAGE)
    write_bytes(first, index_page(workload, days).encode())
    return first
