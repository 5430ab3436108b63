"""The resources of a plan, grouped: by module, type, workload and the attributes that prices depend on."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.cost.tables import FOLDER, CostError, PriceTable

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "infra/terraform"
WORKLOADS = ROOT / "include/workloads"
SNAPSHOTS = FOLDER / "plans"


@dataclass(frozen=True)
class Group:
    """Resources of one type that cost the same.

    Attributes:
        module: Path of their module; empty for the root.
        type: Their type.
        workload: The workload that they belong to, if they belong to one.
        values: The attributes that the price table reads, by dotted path.
        count: How many there are.
    """

    module: str
    type: str
    workload: str | None
    values: dict[str, Any]
    count: int


def workload_names() -> list[str]:
    """The workloads of this repository."""
    return sorted(file.parent.name for file in WORKLOADS.glob("*/workload.yaml"))


def from_plan(plan: Mapping[str, Any], prices: PriceTable, workloads: Collection[str]) -> list[Group]:
    """Groups the resources of a plan in Terraform's JSON form.

    Raises:
        CostError: The price table does not know a type; all such types are named.
    """
    found = list(_planned(plan["planned_values"]["root_module"]))
    require_known({resource["type"] for resource in found}, prices, "the plan")
    groups: Counter[str] = Counter()
    for resource in found:
        values = {name: _value(resource["values"], name) for name in sorted(prices.attributes(resource["type"]))}
        key = {
            "module": resource["module"],
            "type": resource["type"],
            "workload": _workload(resource, workloads),
            "values": values,
        }
        groups[json.dumps(key)] += 1
    return [Group(**json.loads(key), count=count) for key, count in sorted(groups.items())]


def require_known(types: Collection[str], prices: PriceTable, place: str) -> None:
    """Checks that every resource type has a price or a reason why it is free.

    Raises:
        CostError: Some have not; they are named.
    """
    if unknown := sorted(set(types) - prices.types()):
        raise CostError(
            f"infra/cost/charges.yaml does not know {', '.join(unknown)} of {place}. "
            "Add the charges of each, or add it under free with the reason."
        )


def source_types(folder: Path = TERRAFORM) -> set[str]:
    """The resource types that the Terraform sources name, whether or not an environment plans them."""
    pattern = re.compile(r'^resource "(\w+)"', re.MULTILINE)
    return {kind for file in folder.rglob("*.tf") for kind in pattern.findall(file.read_text())}


def source_digest(folder: Path = TERRAFORM) -> str:
    """A digest of the Terraform sources and variable files, by which a snapshot knows whether it is old."""
    files = sorted([*folder.rglob("*.tf"), *folder.rglob("*.tfvars")])
    parts = [f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def save(path: Path, environment: str, groups: list[Group], digest: str, day: str) -> None:
    """Writes the groups of a plan as a snapshot."""
    lines = ",\n".join(f"  {json.dumps(asdict(group))}" for group in groups)
    head = json.dumps({"environment": environment, "planned": day, "sources": digest})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{head[:-1]}, "groups": [\n{lines}\n]}}\n')


def load(path: Path) -> tuple[list[Group], dict[str, str]]:
    """Reads a snapshot: its groups, and from when and of what it is.

    Raises:
        CostError: There is none.
    """
    if not path.exists():
        raise CostError(f"There is no snapshot {path.name} of a plan. Make one: make cost FRESH=1 (needs Terraform).")
    document = json.loads(path.read_text())
    return [Group(**group) for group in document.pop("groups")], document


def _planned(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in module.get("resources", ()):
        if resource["mode"] == "managed":
            # Terraform leaves out the values of a resource of which nothing is known before the apply.
            yield {
                "values": {},
                **resource,
                "module": re.sub(r"\[[^]]*\]", "", module.get("address", "")).replace("module.", ""),
            }
    for child in module.get("child_modules", ()):
        yield from _planned(child)


def _workload(resource: Mapping[str, Any], workloads: Collection[str]) -> str | None:
    """The workload that a resource's tag or a key in its address names: ``…["flights"]``, ``…["flights/ecs-task"]``."""
    if tag := (resource["values"].get("tags") or {}).get("workload"):
        return str(tag)
    keys = re.findall(r'\["([^"]*)"\]', resource["address"])
    return next((key.split("/")[0] for key in keys if key.split("/")[0] in workloads), None)


def _value(values: Any, path: str) -> Any:
    """An attribute by its dotted path; list elements by their number. None when it is not set or not known yet."""
    for part in path.split("."):
        if isinstance(values, list):
            values = values[int(part)] if int(part) < len(values) else None
        else:
            values = values.get(part) if isinstance(values, dict) else None
    return values
