"""The port of each workload's load balancer. A port belongs to a name for good: the run folder stores it.

A name keeps its port when other workloads come, go or do not load. Another NIGHTJAR_SERVICE_PORT moves all of them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.free_ports import is_free
from infra.laptop.ports import require_free

SETTING = "NIGHTJAR_SERVICE_PORT"
LAST_PORT = 65535


class StoredPorts(NamedTuple):
    """What the run folder stores.

    Attributes:
        first: The setting with which the ports were given out; None if the folder stores nothing.
        ports: Name of the workload → port, in order of the ports.
    """

    first: int | None
    ports: dict[str, int]


def read(config: LaptopConfig) -> StoredPorts:
    """Reads the ports that were given out."""
    file = _file(config)
    if not file.is_file():
        return StoredPorts(None, {})
    document = json.loads(file.read_text())
    return StoredPorts(document["first"], document["ports"])


def assign(
    config: LaptopConfig,
    names: Iterable[str],
    listening: Mapping[str, int] | None = None,
    offsets: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Gives each name without a port the one that it asks for, or the lowest that nothing else has, and stores it.

    Args:
        config: The laptop stack's settings.
        names: The workloads, in the order in which new ones get their ports.
        listening: The port on which a workload's load balancer listens now, in order of the ports. A run folder of an
            earlier version does not store the ports; these workloads then get theirs first, and may keep them.
        offsets: How many ports after the first one a workload asks for. Where another has it already, it gets the next.

    Returns:
        The port of each name that ever got one, in order of the ports.

    Raises:
        LaptopError: Another process listens on the first port, or there are no more ports.
    """
    stored = read(config)
    reserved = {config.airflow_port, config.cloud_port}
    listening = listening or {}
    own = {*stored.ports.values(), *listening.values()}
    known = list(stored.ports) or list(listening)
    kept = {name: port for name, port in stored.ports.items() if port not in reserved}
    ports = kept if stored.first == config.service_port else {}
    asked = {name: config.service_port + offset for name, offset in (offsets or {}).items()}
    for name in dict.fromkeys([*known, *names]):
        if name not in ports:
            taken = reserved | set(ports.values()) | set(asked.values()) - {asked.get(name)}
            ports[name] = _next_port(asked.get(name, config.service_port), name, taken, own)
    ports = dict(sorted(ports.items(), key=lambda item: item[1]))
    if stored != (config.service_port, ports):
        _file(config).write_text(json.dumps({"first": config.service_port, "ports": ports}, indent=1) + "\n")
    return ports


def require_free_ports(config: LaptopConfig) -> None:
    """Checks that no other process has taken a load balancer's port while the local cloud is stopped.

    Raises:
        LaptopError: A port is taken.
    """
    first, ports = read(config)
    if first != config.service_port:
        require_free(config.service_port, SETTING, "the first service's load balancer")
        return
    for name, port in ports.items():
        require_free(port, SETTING, f"the load balancer of {name}")


def _next_port(first: int, name: str, taken: Collection[int], own: Collection[int]) -> int:
    """``own``: ports that may not be free because the local cloud itself listens there."""
    for port in range(first, LAST_PORT + 1):
        if port in taken:
            continue
        if port in own or is_free(port):
            return port
        if port == first:
            require_free(port, SETTING, f"the load balancer of {name}")
    raise LaptopError(f"There is no free port from {first} on for {name}. Set a lower {SETTING}.")


def _file(config: LaptopConfig) -> Path:
    return config.state / "service_ports.json"
