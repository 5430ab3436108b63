"""``make package``: builds the release of this tree, and prints its folder, its files and their sizes."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from include.errors import NightjarError
from infra.package import glue, release
from infra.package.build import LIBRARIES
from infra.package.tree import ROOT
from infra.package.wheels import MWAA, Target, fetch

GLUE = Target(LIBRARIES, "3.13", without=glue.SPARK)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    home = Path(os.environ.get("NIGHTJAR_HOME") or ROOT / ".nightjar").resolve()
    made = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    made.add_argument("--out", type=Path, default=home / "dist", help="folder of the releases (default: %(default)s)")
    made.add_argument("--wheels", type=Path, default=home / "wheels", help="cache of wheels (default: %(default)s)")
    pip = home / "uv" / "bin" / "python"
    made.add_argument("--pip-python", type=Path, default=pip, help="a Python that has pip (default: %(default)s)")
    return made


def main() -> int:
    """Builds the release; returns the exit code."""
    given = parser().parse_args()
    try:
        wheels = {target: fetch(ROOT, target, given.pip_python, given.wheels) for target in (MWAA, GLUE)}
        made = release.build(given.out, mwaa_wheels=wheels[MWAA], glue_wheels=wheels[GLUE])
    except NightjarError as error:
        print(error, file=sys.stderr)
        return 1
    for name, entry in made.manifest["files"].items():
        if not name.startswith(f"{release.MWAA}/{release.DAGS}/"):
            print(f"{entry['size']:>12,}  {name}")
    print(f"{len(made.files(release.MWAA)) - 2} files of dags\n{made.folder}")
    if made.manifest["changed"]:
        print("This tree has changes that are not committed, so the release cannot be uploaded:", file=sys.stderr)
        print("\n".join(made.manifest["changed"]), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
