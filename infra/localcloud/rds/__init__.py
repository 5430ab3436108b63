"""RDS: the configuration of databases is kept. No database runs."""

from __future__ import annotations

from moto.rds.models import rds_backends
from moto.rds.responses import RDSResponse

from infra.localcloud.install import Context, add_actions, replace_backend
from infra.localcloud.rds import clusters
from infra.localcloud.rds.models import RdsBackend


def install(context: Context) -> None:
    """Puts this backend, its actions and what a cluster describes into moto."""
    replace_backend(rds_backends, RdsBackend, context)
    add_actions(RDSResponse, *clusters.ACTIONS)
    clusters.install()
