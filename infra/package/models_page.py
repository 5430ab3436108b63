"""What the plugins carry for the models page: the modules of ``include`` that it uses (ADR 46).

MWAA's web server has the plugins and may have no DAGs, below which ``include`` is. The modules are in a folder of the
page that only the page adds to the path, and only where there is no other ``include``.
"""

from __future__ import annotations

from pathlib import Path

from infra.package.imports import modules_used_by
from infra.package.tree import files

FOLDER = Path("plugins", "models_page")
CARRIED = "models_page/carried"


def carried(root: Path) -> dict[str, bytes]:
    """Path below the plugins' folder → content, of the modules."""
    page = [file for file in files(root / FOLDER) if file.suffix == ".py"]
    modules = modules_used_by(root, page)
    return {f"{CARRIED}/{module.relative_to(root).as_posix()}": module.read_bytes() for module in modules}
