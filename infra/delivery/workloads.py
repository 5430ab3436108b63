"""The names of the workloads that a command is for."""

from __future__ import annotations

from include.workloads import Workload, discover
from infra.delivery.command import DeliveryError


def all_workloads() -> list[Workload]:
    """Returns the workloads of this tree.

    Raises:
        DeliveryError: One does not load.
    """
    found, errors = discover()
    if errors:
        raise DeliveryError("A workload does not load:\n" + "\n".join(str(error) for error in errors))
    return found


def chosen(names: list[str] | None) -> list[str]:
    """Returns the given workloads, or all of them.

    Raises:
        DeliveryError: A name is none of a workload, or a workload does not load.
    """
    known = sorted(workload.name for workload in all_workloads())
    if unknown := sorted(set(names or ()) - set(known)):
        raise DeliveryError(f"There is no workload {', '.join(unknown)}. There are: {', '.join(known)}.")
    return names or known
