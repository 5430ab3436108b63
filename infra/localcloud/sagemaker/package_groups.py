"""SageMaker's actions on model package groups that moto lacks: deletion, and the resource policy."""

from __future__ import annotations

import json

from moto.sagemaker.exceptions import ConflictException, ValidationError
from moto.sagemaker.responses import SageMakerResponse

from infra.localcloud.actions import Members, answered_by
from infra.localcloud.sagemaker.models import SageMakerBackend


def _backend(response: SageMakerResponse) -> SageMakerBackend:
    backend = response.sagemaker_backend
    assert isinstance(backend, SageMakerBackend)
    return backend


_answered = answered_by(_backend)


def _arn(backend: SageMakerBackend, request: Members) -> str:
    """The ARN of the group that the request names, by its name or its ARN.

    Raises:
        ValidationError: There is none.
    """
    name = request["ModelPackageGroupName"].rsplit("/", 1)[-1]
    return str(backend.describe_model_package_group(name).arn)


@_answered
def delete_model_package_group(backend: SageMakerBackend, request: Members) -> Members:
    """Answers DeleteModelPackageGroup: a group with versions is not deleted."""
    arn = _arn(backend, request)
    name = arn.rsplit("/", 1)[-1]
    if any(package.model_package_group_name == name for package in backend.model_packages.values()):
        raise ConflictException(f"Cannot delete Model Package Group {arn} because it still has Model Packages")
    del backend.model_package_groups[name]
    backend.package_group_policies.pop(name, None)
    return {}


@_answered
def put_model_package_group_policy(backend: SageMakerBackend, request: Members) -> Members:
    """Answers PutModelPackageGroupPolicy."""
    arn = _arn(backend, request)
    try:
        json.loads(request["ResourcePolicy"])
    except ValueError:
        raise ValidationError("The resource policy is not JSON") from None
    backend.package_group_policies[arn.rsplit("/", 1)[-1]] = request["ResourcePolicy"]
    return {"ModelPackageGroupArn": arn}


@_answered
def get_model_package_group_policy(backend: SageMakerBackend, request: Members) -> Members:
    """Answers GetModelPackageGroupPolicy."""
    return {"ResourcePolicy": backend.package_group_policies[_with_policy(backend, request)]}


@_answered
def delete_model_package_group_policy(backend: SageMakerBackend, request: Members) -> Members:
    """Answers DeleteModelPackageGroupPolicy."""
    del backend.package_group_policies[_with_policy(backend, request)]
    return {}


def _with_policy(backend: SageMakerBackend, request: Members) -> str:
    arn = _arn(backend, request)
    name = arn.rsplit("/", 1)[-1]
    if name not in backend.package_group_policies:
        raise ValidationError(f"Cannot find resource policy for {arn}")
    return name


ACTIONS = (
    delete_model_package_group,
    put_model_package_group_policy,
    get_model_package_group_policy,
    delete_model_package_group_policy,
)
