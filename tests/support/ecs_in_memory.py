"""An ECS service in memory: its task definitions, its PRIMARY deployment, and what its tasks answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from include.pipelines.deploy.http import HttpResponse
from include.pipelines.deploy.service import PrimaryDeployment

TEMPLATE = "template"


class EcsInMemory:
    """One service. A rollout is in progress until :meth:`finish_rollout`.

    Attributes:
        definitions: Task definition → its environment.
        serving: The task definition of the tasks that answer; None without any.
        before: Called before and after each change, with its name: it may raise, as if the process was killed.
    """

    def __init__(self, before: Callable[[str], None] = lambda name: None) -> None:
        self.definitions: dict[str, dict[str, str]] = {TEMPLATE: {"WORKLOAD": "flights"}}
        self.keys: dict[str, str] = {}
        self.images: dict[str, str] = {}
        self.set_to, self.verified_by_ecs = TEMPLATE, TEMPLATE
        self.serving: str | None = None
        self.desired = 0
        self.state = "COMPLETED"
        self.ended: list[dict[str, Any]] = []
        self.before = before

    @classmethod
    def running(cls, definition: str, count: int = 1, state: str = "COMPLETED", **environment: str) -> EcsInMemory:
        """Returns a service that runs a task definition with these variables."""
        service = cls()
        service.definitions[definition] = environment
        service.set_to, service.desired, service.state = definition, count, state
        service.serving = definition if count else None
        return service

    # --- as EcsService
    def describe(self) -> dict[str, Any]:
        return {"taskDefinition": self.set_to}

    def task_definition(self) -> str:
        return self.set_to

    def primary(self) -> PrimaryDeployment:
        running = 0 if self.state == "IN_PROGRESS" else self.desired
        return {
            "taskDefinition": self.set_to,
            "desiredCount": self.desired,
            "runningCount": running,
            "rolloutState": self.state,
        }

    def environment(self, task_definition: str) -> dict[str, str]:
        return dict(self.definitions[task_definition])

    def image(self, task_definition: str) -> str:
        return self.images[task_definition]

    def stopped_tasks(self, task_definition: str) -> list[dict[str, Any]]:
        return [task for task in self.ended if task["taskDefinitionArn"] == task_definition]

    def register(self, template_family: str, family: str, key: str, image: str, environment: dict[str, str]) -> str:
        newest = list(self.definitions)[-1]
        if self.keys.get(newest) == key:
            return newest
        arn = f"{family}:{len(self.definitions)}"
        self._change("register", lambda: self._register(arn, key, image, environment))
        return arn

    def link(self, rollout: object) -> str:
        return ""

    def roll(self, task_definition: str, desired_count: int) -> str:
        if self.set_to != task_definition or (self.desired == 0 and desired_count):
            self._change("roll", lambda: self._roll(task_definition, max(self.desired, desired_count)))
        return f"deployment of {task_definition}"

    def stop_all(self) -> None:
        self._change("stop_all", self._stop)

    # --- what happens outside
    def finish_rollout(self, exit_code: Callable[[dict[str, str]], int | None]) -> None:
        """Ends the rollout in progress: the new tasks serve, or the circuit breaker goes back.

        ``exit_code`` says what the tasks of an environment do: 0, they run; None, they are not placed; else, they exit.
        """
        if self.state != "IN_PROGRESS":
            return
        code = exit_code(self.definitions[self.set_to])
        if code == 0:
            self.verified_by_ecs = self.set_to
        else:
            exited = {"name": "service", **({} if code is None else {"exitCode": code})}
            self.ended.append({"taskArn": "task/1", "taskDefinitionArn": self.set_to, "containers": [exited]})
            self.set_to = self.verified_by_ecs
        self.state = "COMPLETED"
        self.serving = self.set_to if self.desired else None

    def get(self, path: str) -> HttpResponse:
        """Answers as the tasks behind the load balancer do."""
        environment = self.definitions[self.serving] if self.serving else {}
        if "MODEL_VERSION" not in environment:
            return HttpResponse(503, {"error": "no healthy task"})
        shown = ("MODEL_VERSION", "BUNDLE_DIGEST", "DEPLOY_REVISION")
        body = {name.lower(): environment[name] for name in shown if name in environment}
        return HttpResponse(200, body if path == "/version" else {"ok": environment["MODEL_VERSION"] not in self.wrong})

    wrong: frozenset[str] = frozenset()  # versions that score wrongly

    def _register(self, arn: str, key: str, image: str, environment: dict[str, str]) -> None:
        self.definitions[arn], self.keys[arn], self.images[arn] = dict(environment), key, image

    def _roll(self, definition: str, count: int) -> None:
        self.set_to, self.desired, self.state = definition, count, "IN_PROGRESS" if count else "COMPLETED"

    def _stop(self) -> None:
        self.desired, self.serving, self.state = 0, None, "COMPLETED"

    def _change(self, name: str, change: Callable[[], None]) -> None:
        self.before(name)
        change()
        self.before(f"{name} done")


def http(service: EcsInMemory) -> Any:
    """The service as the verification calls it."""
    cast("Any", service).url = "http://service"
    return service
