"""Data Docs: Great Expectations renders them to a folder, and they are copied to the run's prefix.

The text of the pages needs no network; GX's templates load fonts and styles from public CDNs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from great_expectations.data_context import AbstractDataContext

from include.glue.storage import join_uri, write_bytes

if TYPE_CHECKING:
    from great_expectations.data_context.store.store import DataDocsSiteConfigTypedDict

_SITE = "docs"


def write_docs(context: AbstractDataContext, target: str) -> str:
    """Renders every validation of the context.

    Args:
        context: The GX context.
        target: URI of the prefix to write to.

    Returns:
        URI of index.html.
    """
    with tempfile.TemporaryDirectory(prefix="nightjar-docs-") as folder:
        site: DataDocsSiteConfigTypedDict = {
            "class_name": "SiteBuilder",
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        }
        context.add_data_docs_site(site_name=_SITE, site_config=site)
        context.build_data_docs(site_names=[_SITE])
        for path in sorted(Path(folder).rglob("*")):
            # The images belong to a walk-through that the pages offer, and take megabytes.
            if path.is_file() and path.suffix not in (".gif", ".png"):
                write_bytes(join_uri(target, path.relative_to(folder).as_posix()), path.read_bytes())
    return join_uri(target, "index.html")
