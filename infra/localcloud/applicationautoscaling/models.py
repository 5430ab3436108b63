"""moto's Application Auto Scaling, with tags; a target takes its policies with it, and no alarm stands for a policy."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
)
from moto.utilities.tagging_service import TaggingService

from infra.localcloud.actions import AwsError, Members
from infra.localcloud.install import Context

_KEPT_ACTIVITIES = 500
_NOTHING_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}
# The ends of the names of AWS's own roles, which it uses when none is given.
_ROLES = {
    "dynamodb": "DynamoDBTable",
    "ecs": "ECSService",
    "lambda": "LambdaConcurrency",
    "rds": "RDSCluster",
    "sagemaker": "SageMakerEndpoint",
}


class ScalingBackend(ApplicationAutoscalingBackend):
    """Scalable targets, policies and scheduled actions of one account and region."""

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tagging = TaggingService()
        self.activities: list[Members] = []  # the newest last
        self.last_steps: dict[str, dict[str, float]] = {}  # resource → out or in → Unix time

    def record(self, activity: Members, direction: str, now: float) -> None:
        """Keeps an activity, and when the resource was last scaled in this direction: ``out`` or ``in``."""
        self.activities = [*self.activities[-_KEPT_ACTIVITIES:], activity]
        resource = str(activity["ResourceId"])
        self.last_steps[resource] = {**self.last_steps.get(resource, {}), direction: now}

    def register_scalable_target(
        self,
        namespace: str,
        r_id: str,
        dimension: str,
        min_capacity: int | None,
        max_capacity: int | None,
        role_arn: str,
        suspended_state: Any,
    ) -> FakeScalableTarget:
        """RegisterScalableTarget, with AWS's defaults."""
        known = self.targets.get(dimension, {}).get(r_id)
        if known is None and (min_capacity is None or max_capacity is None):
            raise AwsError(
                "ValidationException",
                "MinCapacity and MaxCapacity are required when a scalable target is registered for the first time",
            )
        low = known.min_capacity if known and min_capacity is None else min_capacity
        high = known.max_capacity if known and max_capacity is None else max_capacity
        if low is not None and high is not None and low > high:
            raise AwsError("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        own = f"AWSServiceRoleForApplicationAutoScaling_{_ROLES.get(namespace, namespace)}"
        path = f"aws-service-role/{namespace}.application-autoscaling.amazonaws.com"
        role = role_arn or f"arn:aws:iam::{self.account_id}:role/{path}/{own}"
        state: Any = suspended_state and {**_NOTHING_SUSPENDED, **suspended_state}
        if known is None:
            state = state or dict(_NOTHING_SUSPENDED)
        return super().register_scalable_target(namespace, r_id, dimension, min_capacity, max_capacity, role, state)

    def deregister_scalable_target(self, namespace: str, r_id: str, dimension: str) -> None:
        """DeregisterScalableTarget: policies and scheduled actions of the target are deleted with it."""
        known = self.targets.get(dimension, {}).get(r_id)
        super().deregister_scalable_target(namespace, r_id, dimension)
        self.last_steps.pop(r_id, None)
        if known is not None:
            self.tagging.delete_all_tags_for_resource(known.arn)
        self.policies = {
            key: policy
            for key, policy in self.policies.items()
            if (policy.resource_id, policy.scalable_dimension) != (r_id, dimension)
        }
        self.scheduled_actions = [
            action
            for action in self.scheduled_actions
            if (action.resource_id, action.scalable_dimension) != (r_id, dimension)
        ]

    def put_scaling_policy(
        self,
        policy_name: str,
        service_namespace: str,
        resource_id: str,
        scalable_dimension: str,
        policy_body: dict[str, Any],
        policy_type: str | None,
    ) -> FakeApplicationAutoscalingPolicy:
        """PutScalingPolicy: moto's alarms for it are removed, because the scaler reads the metrics itself."""
        if resource_id not in self.targets.get(scalable_dimension, {}):
            raise AwsError(
                "ObjectNotFoundException",
                f"No scalable target registered for service namespace: {service_namespace}, "
                f"resource ID: {resource_id}, scalable dimension: {scalable_dimension}",
            )
        key = FakeApplicationAutoscalingPolicy.formulate_key(
            service_namespace, resource_id, scalable_dimension, policy_name
        )
        before = self.policies.get(key)
        policy = super().put_scaling_policy(
            policy_name, service_namespace, resource_id, scalable_dimension, policy_body, policy_type
        )
        policy.delete_alarms(self.account_id, self.region_name)
        policy.alarms = []
        if before is not None:
            policy.policy_arn, policy.creation_time = before.policy_arn, before.creation_time
        return policy

    def target_by_arn(self, arn: str) -> FakeScalableTarget:
        """The scalable target with this ARN.

        Raises:
            AwsError: There is none.
        """
        for targets in self.targets.values():
            for target in targets.values():
                if target.arn == arn:
                    return target
        raise AwsError("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")
