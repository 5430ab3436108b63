"""Roll an ECS service to a new task definition revision, once."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from nightjar.jobs.console import console_link
from nightjar.jobs.ecs.service import EcsServiceHook

if TYPE_CHECKING:
    from airflow.sdk import Context


class SubmitRolloutOperator(BaseOperator):
    """Registers template + image + environment as a revision and updates the service to it.

    A retry finds the revision by its key (a tag: the sha256 of what was asked) and the roll under way by the service's task
    definition. Returns ``{"task_definition", "service_deployment_arn"}``.

    :param cluster: ECS cluster.
    :param service: service, and the family of its task definitions.
    :param template_family: task definition that infrastructure owns; its newest revision is copied.
    :param image: image of the first container (templated).
    :param environment: variables added to the template's in the first container (templated).
    :param desired_count: fewest tasks the service shall have.
    """

    template_fields = ("image", "environment")

    def __init__(
        self,
        *,
        cluster: str,
        service: str,
        template_family: str,
        image: str,
        environment: dict[str, str],
        desired_count: int,
        region_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster
        self.service = service
        self.template_family = template_family
        self.image = image
        self.environment = environment
        self.desired_count = desired_count
        self.region_name = region_name

    def execute(self, context: Context) -> dict[str, str]:
        hook = EcsServiceHook(self.cluster, self.service, region_name=self.region_name)
        hook.describe()
        asked = [context["run_id"], self.template_family, self.image, self.environment]
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:20]
        task_definition = hook.register(self.template_family, self.service, key, self.image, self.environment)
        deployment = hook.roll(task_definition, self.desired_count)
        self.log.info(
            "Rolling %s to %s: %s\n%s",
            self.service,
            task_definition,
            deployment,
            console_link("ecs", self.region_name, self.service, self.cluster),
        )
        return {"task_definition": task_definition, "service_deployment_arn": deployment}
