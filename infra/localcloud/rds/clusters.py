"""What a cluster describes: a scaling configuration only if it has one, and its Data API (the HTTP endpoint)."""

from __future__ import annotations

from typing import Any

import moto.rds.models
from moto.rds.models import DBCluster
from moto.rds.responses import RDSResponse

from infra.localcloud.actions import AwsError, Members, answered_by
from infra.localcloud.rds.models import RdsBackend

_models: Any = moto.rds.models
_scaling = _models.DBCluster.scaling_configuration_info.fget


def install() -> None:
    """Changes moto's cluster: Terraform would change what is not described as it was given."""
    _models.DBCluster.scaling_configuration_info = property(_scaling_if_given)
    _models.DBCluster.enable_http_endpoint = property(_data_api, _set_data_api)


def _scaling_if_given(cluster: DBCluster) -> dict[str, Any] | None:
    return _scaling(cluster) if cluster.scaling_configuration else None


def _data_api(cluster: DBCluster) -> bool:
    return cluster._enable_http_endpoint


def _set_data_api(cluster: DBCluster, enabled: bool | None) -> None:
    """Every Aurora cluster has a Data API; other clusters ignore the member, as RDS does."""
    cluster._enable_http_endpoint = bool(enabled) and cluster.engine.startswith("aurora")


def _backend(response: RDSResponse) -> RdsBackend:
    backend = response.backend
    assert isinstance(backend, RdsBackend)
    return backend


_answered = answered_by(_backend)


def _set(backend: RdsBackend, arn: str, enabled: bool) -> Members:
    for cluster in backend.clusters.values():
        if cluster.db_cluster_arn == arn:
            _set_data_api(cluster, enabled)
            return {"ResourceArn": arn, "HttpEndpointEnabled": cluster.http_endpoint_enabled}
    raise AwsError("ResourceNotFoundFault", f"The resource {arn} could not be found.")


@_answered
def enable_http_endpoint(backend: RdsBackend, request: Members) -> Members:
    """Answers EnableHttpEndpoint."""
    return _set(backend, request["resource_arn"], True)


@_answered
def disable_http_endpoint(backend: RdsBackend, request: Members) -> Members:
    """Answers DisableHttpEndpoint."""
    return _set(backend, request["resource_arn"], False)


ACTIONS = (enable_http_endpoint, disable_http_endpoint)
