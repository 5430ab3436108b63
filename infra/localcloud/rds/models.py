"""moto's RDS, whose instances have their Performance Insights."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.rds.models import DBInstance, RDSBackend

from infra.localcloud.install import Context

_DAYS = 7  # what RDS keeps if nothing is said
_KEY, _RETENTION = "performance_insights_kms_key_id", "performance_insights_retention_period"


class RdsBackend(RDSBackend):
    """The databases of one account and region."""

    context: ClassVar[Context]

    def create_db_instance(self, db_kwargs: dict[str, Any]) -> DBInstance:
        """CreateDBInstance."""
        made = super().create_db_instance(db_kwargs)
        _keep_insights(made, db_kwargs)
        return made

    def modify_db_instance(self, db_instance_identifier: str, db_kwargs: dict[str, Any]) -> DBInstance:
        """ModifyDBInstance."""
        changed = super().modify_db_instance(db_instance_identifier, db_kwargs)
        _keep_insights(changed, db_kwargs)
        return changed


def _keep_insights(instance: Any, request: dict[str, Any]) -> None:
    """Keeps the members of Performance Insights, under the names under which moto describes attributes."""
    before = getattr(instance, "performance_insights_enabled", False)
    given = request.get("enable_performance_insights")
    enabled = before if given is None else given
    instance.performance_insights_enabled = enabled
    for name, default in ((_KEY, None), (_RETENTION, _DAYS)):
        value = request.get(name) or getattr(instance, name, None) or default
        setattr(instance, name, value if enabled else None)
