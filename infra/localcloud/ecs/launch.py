"""Starts the processes of a task's containers on one address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.localcloud.config import Image
from infra.localcloud.ecs import container_secrets
from infra.localcloud.ecs.addresses import AddressPool
from infra.localcloud.ecs.resources import ContainerRun, Task
from infra.localcloud.errors import AccessDeniedError
from infra.localcloud.image_pulls import require_pull
from infra.localcloud.install import Context
from infra.localcloud.logs import write_permissions


def launch(task: Task, context: Context, addresses: AddressPool, on_change: Callable[[], None]) -> None:
    """Starts every container. An error ends the task and is kept in ``task.failure``.

    ``on_change`` is called at the end, and when a container's process has ended.

    Takes as long as its secrets take to read, so it is called without the scheduler's lock.
    """
    try:
        ports = {int(m["containerPort"]) for c in task.containers for m in c.definition.get("portMappings") or []}
        task.address = address = addresses.take(ports)
        for container in task.containers:
            _start(task, container, address, context, on_change)
    except Exception as error:  # any error means that the task failed to start; its text is the stoppedReason
        task.failure = str(error)
        task.end()
    task.launched = True
    on_change()


def _start(task: Task, container: ContainerRun, address: str, context: Context, on_change: Callable[[], None]) -> None:
    definition = container.definition
    overrides = task.request.get("overrides") or {}
    override: dict[str, Any] = next(
        (o for o in overrides.get("containerOverrides") or [] if o.get("name") == definition["name"]), {}
    )
    execution_role = overrides.get("executionRoleArn") or getattr(task.definition, "execution_role_arn", None)
    task_role = overrides.get("taskRoleArn") or getattr(task.definition, "task_role_arn", None)
    for role in filter(None, (execution_role, task_role)):
        context.identity.check_trust(role, "ecs-tasks.amazonaws.com", task.arn)
    _require(context, execution_role, task, definition)
    image = context.config.image(definition["image"])
    port = next((int(m["containerPort"]) for m in definition.get("portMappings") or []), 0)
    argv = _argv(image, definition, override, address, port)
    environment = _environment(image, definition, override, address, port)
    for secret in definition.get("secrets") or []:
        environment[secret["name"]] = container_secrets.read(context, execution_role, secret["valueFrom"])
    group, stream = _log(task, definition)
    container.job = context.runner.start(
        f"{task.definition.family}/{task.id}",
        argv,
        cwd=image.cwd,
        env=environment,
        role_arn=task_role,
        log_group=group,
        log_stream=stream,
        address=address,
        mounts=image.mounts,
        preload=image.preloaded,
        on_exit=lambda _: on_change(),
    )


def _require(context: Context, role: str | None, task: Task, definition: dict[str, Any]) -> None:
    """Checks what ECS does with the execution role: pull the image, write the log.

    Raises:
        AccessDeniedError: The role may not. The text is the task's stoppedReason.
    """
    if not role:
        return
    try:
        require_pull(context.identity, definition["image"], role, task.id)
    except AccessDeniedError as error:
        raise AccessDeniedError(f"CannotPullContainerError: {error}") from None
    try:
        if (definition.get("logConfiguration") or {}).get("logDriver") == "awslogs":
            permissions = write_permissions(context.config, *_log(task, definition))
            context.identity.require(role, task.id, *permissions)
    except AccessDeniedError as error:
        raise AccessDeniedError(
            f"ResourceInitializationError: failed to validate logger args: create stream failed: {error}"
        ) from None


def _argv(image: Image, definition: dict[str, Any], override: dict[str, Any], address: str, port: int) -> list[str]:
    command = (definition.get("entryPoint") or []) + (override.get("command") or definition.get("command") or [])
    # In a container's network namespace 0.0.0.0 is the task's address; here it would be the address of every task.
    command = [address if word == "0.0.0.0" else word for word in command]
    return image.argv(command, host=address, port=port)


def _environment(
    image: Image, definition: dict[str, Any], override: dict[str, Any], address: str, port: int
) -> dict[str, str]:
    environment = {
        name: value.replace("{host}", address).replace("{port}", str(port)) for name, value in image.env.items()
    }
    for pair in (definition.get("environment") or []) + (override.get("environment") or []):
        environment[pair["name"]] = pair["value"]
    return environment


def _log(task: Task, definition: dict[str, Any]) -> tuple[str, str]:
    """Log group and stream of a container."""
    options = (definition.get("logConfiguration") or {}).get("options") or {}
    group = options.get("awslogs-group") or f"/local/ecs/{task.definition.family}"
    prefix = options.get("awslogs-stream-prefix")
    stream = f"{definition['name']}/{task.id}"
    return group, f"{prefix}/{stream}" if prefix else stream
