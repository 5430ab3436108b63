"""ElastiCache: the configuration of caches is kept. No cache runs; a Valkey of one's own does its work."""

from __future__ import annotations

from moto.elasticache.models import elasticache_backends
from moto.elasticache.responses import ElastiCacheResponse

from infra.localcloud.elasticache import clusters, groups, replication, users
from infra.localcloud.elasticache.models import CacheBackend
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts this backend and its actions into moto."""
    replace_backend(elasticache_backends, CacheBackend, context)
    for module in (clusters, groups, replication, users):
        add_actions(ElastiCacheResponse, *module.ACTIONS)
