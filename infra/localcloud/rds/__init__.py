"""RDS: the configuration of databases is kept. No database runs."""

from __future__ import annotations

from typing import Any

import moto.rds.models
from moto.rds.models import DBCluster

from infra.localcloud.install import Context


def install(context: Context) -> None:
    """Makes a cluster report a scaling configuration only if it has one: Terraform would change it otherwise."""
    described = DBCluster.scaling_configuration_info.fget
    if getattr(described, "only_if_given", False):
        return

    def scaling_configuration_info(self: DBCluster) -> dict[str, Any] | None:
        return described(self) if self.scaling_configuration else None  # type: ignore[misc]  # a property has it

    scaling_configuration_info.only_if_given = True  # type: ignore[attr-defined]  # a mark on the function
    models: Any = moto.rds.models
    models.DBCluster.scaling_configuration_info = property(scaling_configuration_info)
