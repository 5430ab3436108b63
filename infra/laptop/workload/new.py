"""Lays out the folder of a new workload from the template beside this file: one that can be run as it is."""

from __future__ import annotations

from pathlib import Path
from string import Template

from include.workloads.declaration import FOLDER_NAME, FOLDER_NAME_RULE
from infra.laptop.config import LaptopError
from infra.package.tree import ROOT

TEMPLATE = Path(__file__).parent / "template"
WORKLOADS = ROOT / "include" / "workloads"


def lay_out(name: str, workloads: Path = WORKLOADS) -> Path:
    """Writes the folder of a new workload.

    Args:
        name: The workload's name; ``${name}`` in the template becomes it.
        workloads: The folder of all workloads.

    Returns:
        The new folder.

    Raises:
        LaptopError: The name cannot be one of a workload, or is taken.
    """
    if not FOLDER_NAME.fullmatch(name):
        raise LaptopError(f"{name!r} cannot be the name of a workload: it {FOLDER_NAME_RULE}. Choose another NAME.")
    folder = workloads / name
    if folder.exists():
        raise LaptopError(f"{folder} exists already. Choose another NAME, or delete that folder first.")
    for file in sorted(path for path in TEMPLATE.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        target = folder / file.relative_to(TEMPLATE)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(file.read_text()).safe_substitute(name=name))
    return folder
