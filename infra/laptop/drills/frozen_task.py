"""A task that does not answer: its processes are stopped, as by a deadlock, and go on when the drill ends."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import psutil

from include.lake import resources
from infra.laptop.config import LaptopError
from infra.laptop.drills.cause import Cause
from infra.laptop.drills.target import CLUSTER, Target


class FrozenTask(Cause):
    """Stops the processes of one task. ECS replaces it, as on AWS."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._group: int | None = None

    def begin(self) -> None:
        """Stops the processes of the newest task.

        Raises:
            LaptopError: No task runs.
        """
        ecs, name = self.target.aws.ecs, resources.service_name(self.target.workload.name)
        arns = ecs.list_tasks(cluster=CLUSTER, serviceName=name, desiredStatus="RUNNING")["taskArns"]
        tasks = ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []
        addresses = {
            interface["privateIpv4Address"]
            for task in tasks
            for container in task["containers"]
            for interface in container["networkInterfaces"]
        }
        groups = sorted(_groups(addresses))
        if not groups:
            raise LaptopError(f"No task of {name} runs. Deploy a version with `make run`, then repeat the drill.")
        self._group = groups[-1]
        os.killpg(self._group, signal.SIGSTOP)

    def end(self) -> None:
        """Lets what is left of it go on."""
        if self._group:
            with suppress(ProcessLookupError):
                os.killpg(self._group, signal.SIGCONT)
            self._group = None


def _groups(addresses: set[str]) -> set[int]:
    """The process groups that listen on these addresses."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            listening = (one for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
            if any(one.laddr and one.laddr.ip in addresses for one in listening):
                found.add(os.getpgid(process.pid))
    return found
