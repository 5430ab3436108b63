"""Writes the tables of variables and outputs in ``infra/terraform/README.md`` from the configuration's text.

The configuration is formatted by ``terraform fmt``, so a block ends with a brace at the start of a line and an argument
of a block is indented by two blanks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path("infra", "terraform")
_BLOCK = r'^{kind} "(?P<name>\w+)" \{{\n(?P<body>.*?)^\}}'
_ARGUMENT = r"^  {name} +=\s+(?P<value>.*?)(?=^  \w+ |^  \w+ *=|^\s*$|\Z)"
_FIELD = re.compile(
    r"^    (?P<name>\w+) += (?:optional\((?P<type>\w+)(?:, (?P<default>.+))?\)|(?P<required>\w+))$", re.MULTILINE
)


def main() -> int:
    """Writes the tables.

    Returns:
        0.
    """
    readme = ROOT / FOLDER / "README.md"
    readme.write_text(with_tables(readme.read_text(), ROOT / FOLDER))
    print(f"wrote {readme.relative_to(ROOT)}")
    return 0


def with_tables(text: str, folder: Path) -> str:
    """The README's text with the tables of the configuration in this folder between their markers.

    Raises:
        ValueError: The text lacks a marker.
    """
    for title, lines in (("variables", _variables(folder)), ("outputs", _outputs(folder))):
        start, end = f"<!-- {title} -->\n", f"<!-- end of {title} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(f"{FOLDER / 'README.md'}: the markers of the {title} are missing; add {start}{end}")
        before, rest = text.split(start)
        text = before + start + "\n".join(lines) + "\n" + end + rest.split(end)[1]
    return text


def _variables(folder: Path) -> Iterator[str]:
    yield from ("| variable | type | default | meaning |", "|---|---|---|---|")
    for name, body in _blocks("variable", folder):
        kind, default = _argument("type", body), _argument("default", body)
        fields = list(_FIELD.finditer(kind))
        shown = "object" if kind.startswith("object") else kind
        yield _row(f"`{name}`", f"`{shown}`", f"`{default}`" if default and not fields else "", _description(body))
        for field in fields:
            given = "" if field["required"] else f"`{field['default'] or 'null'}`"
            yield _row(f"`{name}.{field['name']}`", f"`{field['type'] or field['required']}`", given, "")


def _outputs(folder: Path) -> Iterator[str]:
    yield from ("| output | meaning |", "|---|---|")
    for name, body in sorted(_blocks("output", folder)):
        yield _row(f"`{name}`", _description(body))


def _blocks(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    pattern = re.compile(_BLOCK.format(kind=kind), re.MULTILINE | re.DOTALL)
    for file in sorted(folder.glob("*.tf")):
        for found in pattern.finditer(file.read_text()):
            yield found["name"], found["body"]


def _argument(name: str, body: str) -> str:
    found = re.search(_ARGUMENT.format(name=name), body, re.MULTILINE | re.DOTALL)
    return found["value"].strip() if found else ""


def _description(body: str) -> str:
    return _argument("description", body).strip('"').replace("<", "&lt;")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
