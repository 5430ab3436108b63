"""Descriptions of SageMaker's models and endpoint configurations, without what was not given.

Terraform replaces a resource that is described with an empty VPC configuration or data capture.
"""

from __future__ import annotations

from moto.sagemaker.responses import SageMakerResponse

from infra.localcloud.actions import Members, answered_by
from infra.localcloud.sagemaker.models import SageMakerBackend


def _backend(response: SageMakerResponse) -> SageMakerBackend:
    backend = response.sagemaker_backend
    assert isinstance(backend, SageMakerBackend)
    return backend


_answered = answered_by(_backend)


@_answered
def describe_model(backend: SageMakerBackend, request: Members) -> Members:
    """Answers DescribeModel."""
    return _given(backend.describe_model(request["ModelName"]).response_object)


@_answered
def describe_endpoint_config(backend: SageMakerBackend, request: Members) -> Members:
    """Answers DescribeEndpointConfig."""
    return _given(backend.describe_endpoint_config(request["EndpointConfigName"]))


def _given(description: Members) -> Members:
    """The description without members that are empty; numbers and booleans stay."""
    return {name: value for name, value in description.items() if value not in (None, "", [], {})}


ACTIONS = (describe_model, describe_endpoint_config)
