from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts import sbom
from scripts.sbom import SbomError
from scripts.steps import HOME, ROOT

pytestmark = pytest.mark.stack  # it starts the tool, which takes seconds


def _schema_error(bill: dict[str, Any]) -> str:
    """What the tool's own library finds wrong with a bill, as text; None when it is valid."""
    code = (
        "import sys; from cyclonedx.schema import SchemaVersion;"
        "from cyclonedx.validation.json import JsonStrictValidator;"
        "print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read()))"
    )
    python = sbom.TOOL.with_name("python")
    done = subprocess.run([python, "-c", code], input=json.dumps(bill), capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_every_pinned_package_is_in_the_bill_with_its_hashes_and_licence() -> None:
    requirements = ROOT / "requirements/serving.txt"
    bill = sbom.make(requirements, HOME / "venvs/serving")
    text = requirements.read_text()
    assert {f"{c['name']}=={c['version']}" for c in bill["components"]} == set(
        re.findall(r"^[\w.-]+==[^\s;]+", text, re.MULTILINE)
    )
    hashes = [
        one["content"]
        for component in bill["components"]
        for reference in component["externalReferences"]
        for one in reference.get("hashes", ())
    ]
    assert sorted(hashes) == sorted(re.findall(r"--hash=sha256:(\w+)", text))
    numpy = next(component for component in bill["components"] if component["name"] == "numpy")
    assert numpy["purl"] == f"pkg:pypi/numpy@{numpy['version']}" and "BSD" in json.dumps(numpy["licenses"])
    assert bill["metadata"]["component"]["name"] == "nightjar"
    assert _schema_error(bill) == "None"
    assert _schema_error({**bill, "components": [{"name": "x"}]}) != "None"


def test_the_same_requirements_give_the_same_bill(tmp_path: Path) -> None:
    path = tmp_path / "few.txt"
    path.write_text(f"six==1.17.0 --hash=sha256:{'a' * 64}\nidna==3.20 --hash=sha256:{'b' * 64}\n")
    first = sbom.make(path, None)
    assert sbom.make(path, None) == first
    assert [component["name"] for component in first["components"]] == ["idna", "six"]
    assert "timestamp" not in first["metadata"] and "serialNumber" not in first


@pytest.mark.parametrize("line", ["six==1.17.0", f"six>=1 --hash=sha256:{'a' * 64}"])
def test_what_is_not_pinned_with_a_hash_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "loose.txt"
    path.write_text(line + "\n")
    with pytest.raises(SbomError, match=r"loose.txt: six is not pinned with a hash"):
        sbom.make(path, None)


def test_a_missing_tool_and_a_failing_one_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SbomError, match=r"Run `make setup-test`"):
        sbom.make(tmp_path / "x.txt", None, tool=tmp_path / "none")
    with pytest.raises(SbomError, match=r"cyclonedx-py requirements failed"):
        sbom.make(tmp_path / "x.txt", None)
