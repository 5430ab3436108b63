from __future__ import annotations

from pathlib import Path

import pytest

from scripts.terraform_docs import FOLDER, ROOT, with_tables

EMPTY = "# T\n<!-- variables -->\n<!-- end of variables -->\n<!-- outputs -->\nold\n<!-- end of outputs -->\n"


def test_the_tables_of_the_readme_are_current() -> None:
    text = (ROOT / FOLDER / "README.md").read_text()
    assert with_tables(text, ROOT / FOLDER) == text, "run: python -m scripts.terraform_docs"


def test_variables_fields_and_outputs_are_listed(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text(
        'variable "size" {\n  description = "How large: <n>"\n  type = object({\n    n    = number\n'
        '    m = optional(string, "x")\n    k = optional(bool)\n  })\n  default = {}\n}\n\n'
        'variable "region" {\n  description = "Where."\n  type        = string\n  default     = "us-east-1"\n\n'
        '  validation {\n    condition     = true\n    error_message = "no"\n  }\n}\n\n'
        'output "b" {\n  description = "Bee."\n  value       = 1\n}\n'
    )
    lines = with_tables(EMPTY, tmp_path).splitlines()
    assert lines[3:8] == [
        "|---|---|---|---|",
        "| `size` | `object` |  | How large: &lt;n> |",
        "| `size.n` | `number` |  |  |",
        '| `size.m` | `string` | `"x"` |  |',
        "| `size.k` | `bool` | `null` |  |",
    ]
    assert '| `region` | `string` | `"us-east-1"` | Where. |' in lines
    assert "| `b` | Bee. |" in lines and "old" not in lines


def test_a_readme_without_markers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="markers of the variables are missing"):
        with_tables("# T\n", tmp_path)
