"""moto's ElastiCache, with resources that are kept as they were given: documents in AWS's own names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

from infra.localcloud.actions import AwsError, Members, answered_by
from infra.localcloud.install import Context

Documents = dict[str, Members]


class CacheBackend(ElastiCacheBackend):
    """The caches of one account and region.

    Attributes:
        replications: CreateReplicationGroup's requests with what later requests changed, by id.
        parameter_groups: Parameter groups, with the changed values in ``Values``, by name.
        user_groups: User groups by id.
        serverless: Serverless caches by name.
    """

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.replications: Documents = {}
        self.parameter_groups: Documents = {}
        self.user_groups: Documents = {}
        self.serverless: Documents = {}

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource."""
        return f"arn:aws:elasticache:{self.region_name}:{self.account_id}:{kind}:{name}"

    def tagged(self, arn: str) -> str:
        """The ARN, if it is that of a resource.

        Raises:
            AwsError: It is not.
        """
        kind, name = [*arn.split(":"), "", ""][5:7]
        known: Mapping[str, Mapping[str, Any]] = {
            "replicationgroup": self.replications,
            "parametergroup": self.parameter_groups,
            "subnetgroup": self.cache_subnet_groups,
            "usergroup": self.user_groups,
            "user": self.users,
            "serverlesscache": self.serverless,
            "cluster": self.cache_clusters,
        }
        of_group = kind == "cluster" and name.rsplit("-", 1)[0] in self.replications
        if kind not in known:
            raise AwsError("InvalidARN", f"{arn} is not a valid ARN of ElastiCache")
        if name not in known[kind] and not of_group:
            raise AwsError(f"{_NAMES[kind]}NotFound", f"{arn} is either not present or not available.")
        return arn

    def forget(self, arn: str) -> None:
        """Deletes the tags of a deleted resource."""
        self.tagging_service.delete_all_tags_for_resource(arn)


_NAMES = {
    "replicationgroup": "ReplicationGroup",
    "parametergroup": "CacheParameterGroup",
    "subnetgroup": "CacheSubnetGroup",
    "usergroup": "UserGroup",
    "user": "User",
    "serverlesscache": "ServerlessCache",
    "cluster": "CacheCluster",
}


def _backend(response: ElastiCacheResponse) -> CacheBackend:
    backend = response.elasticache_backend
    assert isinstance(backend, CacheBackend)
    return backend


answered = answered_by(_backend)


def page(request: Members, name: str, listed: list[Any]) -> Members:
    """The page of a list that a request asks for with Marker and MaxRecords."""
    start, size = int(request.get("Marker") or 0), int(request.get("MaxRecords") or 100)
    more = {"Marker": str(start + size)} if start + size < len(listed) else {}
    return {name: listed[start : start + size], **more}
