"""Roll an ECS service out to a new revision of its task definition, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from nightjar.denied import fail_if_denied
from nightjar.jobs.ecs.rollout import EcsRollout, RolloutResult
from nightjar.jobs.ecs.service import EcsService
from nightjar.jobs.link import JobLink
from nightjar.outcomes import ExceptionTypes, outcomes

if TYPE_CHECKING:
    from airflow.sdk import Context


class SubmitRolloutOperator(BaseOperator):
    """Registers template, image and environment as a revision, and updates the service to it.

    A retry finds its revision by the key (a tag, the sha256 of what was asked for), and its rollout by the service's
    task definition.

    Args:
        cluster: The cluster.
        service: The service, and the family of its task definitions.
        template_family: Task definition that infrastructure owns; its newest revision is copied.
        image: Image of the first container (templated).
        environment: Variables added to the template's in the first container (templated). Values are converted to text.
        desired_count: Least number of tasks of the service.
        fence: Called with the run's id before and after the service is updated; raises if another run is to change it.
        fail: Exceptions of ``fence`` after which the task fails without a retry.
        skip: Exceptions of ``fence`` after which the task is skipped.
        region_name: AWS region; None for boto3's default.
        **kwargs: Arguments of every operator.
    """

    template_fields = ("image", "environment")
    operator_extra_links = (JobLink(),)

    def __init__(
        self,
        *,
        cluster: str,
        service: str,
        template_family: str,
        image: str,
        environment: dict[str, Any],
        desired_count: int,
        fence: Callable[[str], object],
        fail: ExceptionTypes = (),
        skip: ExceptionTypes = (),
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
        self.fence = fence
        self.fail = fail
        self.skip = skip
        self.region_name = region_name
        self.job_link = ""

    @fail_if_denied()
    def execute(self, context: Context) -> RolloutResult:
        """Starts the rollout, or finds the one that an earlier try started."""
        service = EcsService.connect(self.cluster, self.service, region_name=self.region_name)
        self._check_fence(context["run_id"])
        service.describe()  # a missing service fails before anything is registered
        environment = {name: str(value) for name, value in self.environment.items()}
        asked = [context["run_id"], self.template_family, self.image, environment]
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:20]
        task_definition = service.register(self.template_family, self.service, key, self.image, environment)
        deployment = service.roll(task_definition, self.desired_count)
        # A worker that was frozen before the update may have undone what a newer run did meanwhile.
        self._check_fence(context["run_id"])
        self.job_link = service.link(EcsRollout(self.cluster, self.service, deployment, task_definition))
        self.log.info("Rolling %s out to %s: %s\n%s", self.service, task_definition, deployment, self.job_link)
        return {"task_definition": task_definition, "service_deployment_arn": deployment}

    def _check_fence(self, run_id: str) -> None:
        with outcomes(skip=self.skip, fail=self.fail):
            self.fence(run_id)
