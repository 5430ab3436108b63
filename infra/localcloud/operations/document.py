"""Writes ``docs/local-cloud.md`` and the table of services in the local cloud's README.

``python -m infra.localcloud.operations.document``, from the project's root.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from infra.localcloud.operations.table import KINDS, Kind, ServiceTable, service_table, services

_BEGIN, _END = "<!-- services: begin -->", "<!-- services: end -->"
_HEAD = """# What the local cloud does with each operation of AWS

This page is generated from `infra/localcloud/operations/tables/` by `python -m infra.localcloud.operations.document`.

- **executes**: the operation has its effect.
- **state only**: the configuration is kept, and can be described, listed and deleted; what does not act is named.
- **refused**: the request is answered at once with an error that no client retries, and nothing is done.

An operation that is in no table is refused, too. A service that is missing here is unknown to the local cloud.
"""


def render() -> str:
    """The page's text."""
    lines = [_HEAD, *_overview("#")]
    for name in _listed():
        table = service_table(name)
        lines += ["", f"## {name}", table.summary, *_service(table)]
    lines += ["", "## Services that are refused whole", "| service | reason |", "|---|---|"]
    lines += [f"| {name} | {service.refused} |" for name, service in sorted(services().items()) if service.refused]
    return "\n".join(lines) + "\n"


def render_readme(text: str) -> str:
    """The README's text with a current table of services between its marks."""
    before, rest = text.split(_BEGIN)
    after = rest.split(_END)[1]
    refused = sorted(name for name, service in services().items() if service.refused)
    lines = [*_overview("../../docs/local-cloud.md#"), "", f"Refused whole: {', '.join(refused)}."]
    return before + _BEGIN + "\n" + "\n".join(lines) + "\n" + _END + after


def _listed() -> list[str]:
    return sorted(name for name, service in services().items() if service.refused is None)


def _overview(link: str) -> Iterator[str]:
    yield "| service | executes | state only | refused | |"
    yield "|---|---|---|---|---|"
    for name in _listed():
        table = service_table(name)
        counts = Counter(line.kind for line in table.operations.values())
        numbers = " | ".join(str(counts[kind]) for kind in KINDS)
        yield f"| [{name}]({link}{name}) | {numbers} | {table.summary} |"


def _service(table: ServiceTable) -> Iterator[str]:
    yield ""
    for kind in KINDS:
        for text, names in _groups(table, kind):
            about = f" ({text.rstrip('.')})" if text else ""
            yield f"- **{kind}**{about}: {', '.join(names)}"
    for name, members in sorted(table.refused_members.items()):
        for member in members:
            values = f" = {', '.join(map(str, member.values))}" if member.values else ""
            values += f" other than {', '.join(map(str, member.harmless))}" if member.harmless else ""
            yield f"- **refused member** {name} `{'.'.join(member.path)}`{values}: {member.reason}"
    for name, ignored in sorted(table.ignored_members.items()):
        yield f"- **ignored members** of {name}: {', '.join(ignored)}"


def _groups(table: ServiceTable, kind: Kind) -> Iterator[tuple[str, list[str]]]:
    groups: dict[str, list[str]] = {}
    for name, line in table.operations.items():
        if line.kind == kind:
            groups.setdefault(line.text, []).append(name)
    yield from groups.items()


if __name__ == "__main__":
    Path("docs/local-cloud.md").write_text(render(), encoding="utf-8")
    readme = Path("infra/localcloud/README.md")
    readme.write_text(render_readme(readme.read_text(encoding="utf-8")), encoding="utf-8")
