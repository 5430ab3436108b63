"""Writes ``docs/local-cloud.md``: what of each service executes, is state only and is refused.

python -m infra.localcloud.operations.document > docs/local-cloud.md
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

from infra.localcloud.operations.table import KINDS, Kind, ServiceTable, service_table, services

_HEAD = """# What the local cloud does with each operation of AWS

This page is generated from `infra/localcloud/operations/tables/` by `python -m infra.localcloud.operations.document`.

- **executes**: the operation has its effect.
- **state only**: the configuration is kept, and can be described, listed and deleted; what does not act is named.
- **refused**: the request is answered at once with an error that no client retries, and nothing is done.

An operation that is in no table is refused, too. A service that is missing here is unknown to the local cloud.
"""


def render() -> str:
    """The page's text."""
    listed = sorted(name for name, service in services().items() if service.refused is None)
    tables = {name: service_table(name) for name in listed}
    counts = {name: Counter(line.kind for line in table.operations.values()) for name, table in tables.items()}
    lines = [_HEAD, "| service | executes | state only | refused | |", "|---|---|---|---|---|"]
    for name in listed:
        numbers = " | ".join(str(counts[name][kind]) for kind in KINDS)
        lines.append(f"| [{name}](#{name}) | {numbers} | {tables[name].summary} |")
    for name in listed:
        lines += ["", f"## {name}", tables[name].summary, *_service(tables[name])]
    lines += ["", "## Services that are refused whole", "| service | reason |", "|---|---|"]
    lines += [f"| {name} | {service.refused} |" for name, service in sorted(services().items()) if service.refused]
    return "\n".join(lines) + "\n"


def _service(table: ServiceTable) -> Iterator[str]:
    yield ""
    for kind in KINDS:
        for text, names in _groups(table, kind):
            about = f" ({text.rstrip('.')})" if text else ""
            yield f"- **{kind}**{about}: {', '.join(names)}"
    for name, members in sorted(table.refused_members.items()):
        for member in members:
            values = f" = {', '.join(map(str, member.values))}" if member.values else ""
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
    sys.stdout.write(render())
