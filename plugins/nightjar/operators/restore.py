"""After a red deploy: the version is rejected, and the service runs what it ran before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from nightjar.jobs.ecs.service import EcsServiceHook
from nightjar.jobs.sagemaker.registry import RegistryHook

if TYPE_CHECKING:
    from airflow.sdk import Context


class RejectVersionOperator(BaseOperator):
    """Marks the version Rejected, so that no later night tries it again. Skips when the failure was not the version's.

    :param group: model package group.
    :param target: what was to be deployed: ``version``, ``package_arn``, ``live_version`` (templated); None when nothing was
        chosen.
    :param rollout: what the submit returned (templated); None when nothing was rolled out.
    :param failures: what the sensing and the verifying task found (templated); empty, or the text ``None``, where nothing.
    """

    template_fields = ("target", "rollout", "failures")

    def __init__(
        self,
        *,
        group: str,
        target: Any,
        rollout: Any,
        failures: list[str],
        region_name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.group = group
        self.target = target
        self.rollout = rollout
        self.failures = failures
        self.region_name = region_name

    def execute(self, context: Context) -> int:
        if not self.target or not self.rollout:
            raise AirflowSkipException("Nothing was rolled out: the version is not to blame.")
        if self.target["version"] == self.target["live_version"]:
            raise AirflowSkipException(
                f"Version {self.target['version']} was live before with another image: the version is not to blame."
            )
        reason = (
            "; ".join(text for text in self.failures if text not in ("", "None")) or "its rollout did not end in time"
        )
        RegistryHook(self.group, region_name=self.region_name).judge(
            self.target["package_arn"], "Rejected", f"Deploy {context['run_id']} failed: {reason}"
        )
        self.log.warning("Version %s is Rejected: %s", self.target["version"], reason)
        return self.target["version"]


class RestoreServiceOperator(BaseOperator):
    """Rolls the service back to what it ran before this deploy. Skips when ECS's circuit breaker did so already.

    Returns ``{"task_definition", "service_deployment_arn"}`` for a sensor. Before the first good version there is nothing to
    go back to: the service is then taken down to no tasks, and the task is skipped.

    :param cluster: ECS cluster.
    :param service: ECS service.
    :param target: ``previous_task_definition`` and ``live_version`` before this deploy (templated); None when nothing was
        chosen.
    """

    template_fields = ("target",)

    def __init__(
        self, *, cluster: str, service: str, target: Any, region_name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cluster = cluster
        self.service = service
        self.target = target
        self.region_name = region_name

    def execute(self, context: Context) -> dict[str, str]:
        if not self.target:
            raise AirflowSkipException("Nothing was chosen, so nothing was changed.")
        hook = EcsServiceHook(self.cluster, self.service, region_name=self.region_name)
        previous = self.target["previous_task_definition"]
        if self.target["live_version"] is None:
            hook.stop_all()
            raise AirflowSkipException("No version was live before: the service was taken down to no tasks.")
        if hook.describe()["taskDefinition"] == previous:
            raise AirflowSkipException(f"The service runs {previous} again: ECS rolled back by itself.")
        deployment = hook.roll(previous, desired_count=0)
        self.log.warning("Rolling %s back to %s", self.service, previous)
        return {"task_definition": previous, "service_deployment_arn": deployment}
