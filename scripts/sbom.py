"""``make sbom``: a bill of materials (CycloneDX, JSON) of each runtime, and of the training image for GPUs.

Names, versions, package URLs and hashes are those of the runtime's pinned requirement file. Licences are what the
metadata of the packages installed in its environment says; a package that is not installed, because it is for another
platform, has none. The same requirements give the same file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scripts.steps import HOME, ROOT
from scripts.suites import SUITES

# The packages of the training image for GPUs are in no environment. Most are those of training: the licences, too.
ENVIRONMENTS = {"training-gpu": "training"}
RUNTIMES = (*SUITES, *ENVIRONMENTS)
TOOL = HOME / "venvs" / "sbom" / "bin" / "cyclonedx-py"
# The tool's own validation takes minutes for a hundred packages; a test validates what this module writes.
_OPTIONS = ("--no-validate", "--output-reproducible", "--pyproject", str(ROOT / "pyproject.toml"), "--output-file", "-")


class SbomError(Exception):
    """A bill of materials cannot be made. The text says why."""


def make(requirements: Path, environment: Path | None, tool: Path = TOOL) -> dict[str, Any]:
    """The bill of materials of a requirement file.

    Args:
        requirements: Pinned and hashed.
        environment: Where they are installed, for the licences.
        tool: cyclonedx-py.

    Raises:
        SbomError: The tool failed, or a package has no version, or no hash.
    """
    bill = _run(tool, "requirements", *_OPTIONS, str(requirements))
    licences = _licences(_run(tool, "environment", *_OPTIONS, str(environment))) if environment else {}
    for component in bill["components"]:
        if not component.get("version") or not _hashes(component):
            raise SbomError(f"{requirements.name}: {component['name']} is not pinned with a hash. Run `make lock`.")
        component.pop("description", None)  # the line of the file, with all its hashes once more
        if licence := licences.get(component["purl"]):
            component["licenses"] = licence
    return bill


def main(arguments: list[str] | None = None) -> int:
    """Writes the files; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.sbom", description=__doc__)
    parser.add_argument("--out", type=Path, default=HOME / "sbom", help="folder (default: %(default)s)")
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        try:
            for runtime, bill in zip(RUNTIMES, pool.map(_of_runtime, RUNTIMES), strict=True):
                path = out / f"{runtime}.cdx.json"
                path.write_text(json.dumps(bill, indent=1) + "\n")
                licensed = sum("licenses" in component for component in bill["components"])
                print(f"{path}: {len(bill['components'])} packages, {licensed} with a licence")
        except SbomError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _of_runtime(runtime: str) -> dict[str, Any]:
    return make(ROOT / "requirements" / f"{runtime}.txt", HOME / "venvs" / ENVIRONMENTS.get(runtime, runtime))


def _run(tool: Path, *arguments: str) -> dict[str, Any]:
    if not tool.exists():
        raise SbomError(f"{tool} is missing. Run `make setup-test`.")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SbomError(f"cyclonedx-py {arguments[0]} failed:\n{done.stderr.strip()}")
    bill: dict[str, Any] = json.loads(done.stdout)
    return bill


def _licences(bill: dict[str, Any]) -> dict[str, Any]:
    """The declared licences by package URL."""
    return {
        component["purl"]: component["licenses"]
        for component in bill.get("components", ())
        if "purl" in component and "licenses" in component
    }


def _hashes(component: dict[str, Any]) -> list[dict[str, str]]:
    return [one for reference in component.get("externalReferences", ()) for one in reference.get("hashes", ())]


if __name__ == "__main__":
    sys.exit(main())
