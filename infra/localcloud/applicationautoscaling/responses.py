"""Application Auto Scaling's actions on tags, and the ones that moto answers only in part."""

from __future__ import annotations

from typing import Any

from moto.applicationautoscaling.models import FakeScalableTarget
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from infra.localcloud.actions import Members, answered_by
from infra.localcloud.applicationautoscaling.models import ScalingBackend


def _backend(response: ApplicationAutoScalingResponse) -> ScalingBackend:
    backend = response.applicationautoscaling_backend
    assert isinstance(backend, ScalingBackend)
    return backend


_answered = answered_by(_backend)


@_answered
def register_scalable_target(backend: ScalingBackend, request: Members) -> Members:
    """Answers RegisterScalableTarget."""
    target = backend.register_scalable_target(
        request["ServiceNamespace"],
        request["ResourceId"],
        request["ScalableDimension"],
        request.get("MinCapacity"),
        request.get("MaxCapacity"),
        request.get("RoleARN", ""),
        request.get("SuspendedState"),
    )
    backend.tagging.tag_resource(target.arn, _pairs(request.get("Tags", {})))
    return {"ScalableTargetARN": target.arn}


@_answered
def describe_scalable_targets(backend: ScalingBackend, request: Members) -> Members:
    """Answers DescribeScalableTargets."""
    targets = backend.describe_scalable_targets(
        request["ServiceNamespace"], request.get("ResourceIds"), request.get("ScalableDimension")
    )
    start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or 50)
    more = {"NextToken": str(start + size)} if start + size < len(targets) else {}
    return {"ScalableTargets": [_described(target) for target in targets[start : start + size]], **more}


@_answered
def describe_scaling_activities(backend: ScalingBackend, request: Members) -> Members:
    """Answers DescribeScalingActivities, the newest first."""
    asked = {"ServiceNamespace": request["ServiceNamespace"]}
    asked |= {name: request[name] for name in ("ResourceId", "ScalableDimension") if request.get(name)}
    found = [
        activity
        for activity in reversed(backend.activities)
        if all(activity[name] == value for name, value in asked.items())
    ]
    start, size = int(request.get("NextToken") or 0), int(request.get("MaxResults") or 50)
    more = {"NextToken": str(start + size)} if start + size < len(found) else {}
    return {"ScalingActivities": found[start : start + size], **more}


@_answered
def list_tags_for_resource(backend: ScalingBackend, request: Members) -> Members:
    """Answers ListTagsForResource."""
    arn = backend.target_by_arn(request["ResourceARN"]).arn
    return {"Tags": backend.tagging.get_tag_dict_for_resource(arn)}


@_answered
def tag_resource(backend: ScalingBackend, request: Members) -> Members:
    """Answers TagResource."""
    backend.tagging.tag_resource(backend.target_by_arn(request["ResourceARN"]).arn, _pairs(request["Tags"]))
    return {}


@_answered
def untag_resource(backend: ScalingBackend, request: Members) -> Members:
    """Answers UntagResource."""
    arn = backend.target_by_arn(request["ResourceARN"]).arn
    backend.tagging.untag_resource_using_names(arn, request["TagKeys"])
    return {}


def _pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _described(target: FakeScalableTarget) -> dict[str, Any]:
    return {
        "ServiceNamespace": target.service_namespace,
        "ResourceId": target.resource_id,
        "ScalableDimension": target.scalable_dimension,
        "MinCapacity": target.min_capacity,
        "MaxCapacity": target.max_capacity,
        "RoleARN": target.role_arn,
        "CreationTime": target.creation_time,
        "SuspendedState": target.suspended_state,
        "ScalableTargetARN": target.arn,
    }


ACTIONS = (
    register_scalable_target,
    describe_scalable_targets,
    describe_scaling_activities,
    list_tags_for_resource,
    tag_resource,
    untag_resource,
)
