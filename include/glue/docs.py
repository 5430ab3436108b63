"""Data Docs: GX renders them to a folder, and they are copied to where the run keeps them.

The pages are complete without a network as to their words; GX's templates take fonts and styles from public CDNs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from great_expectations.data_context import AbstractDataContext

from include.glue.storage import under, write_bytes

_SITE = "docs"


def write_docs(context: AbstractDataContext, target: str) -> str:
    """Renders every validation of the context and returns the URI of index.html."""
    with tempfile.TemporaryDirectory(prefix="nightjar-docs-") as folder:
        store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder}
        site = {
            "class_name": "SiteBuilder",
            "store_backend": store,
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        }
        context.add_data_docs_site(site_name=_SITE, site_config=site)
        context.build_data_docs(site_names=[_SITE])
        for path in sorted(Path(folder).rglob("*")):
            # The pictures of a walk-through that the pages offer, megabytes of them, are left out.
            if path.is_file() and path.suffix not in (".gif", ".png"):
                write_bytes(under(target, path.relative_to(folder).as_posix()), path.read_bytes())
    return under(target, "index.html")
