"""A new version first scores requests that the live one has answered, and goes on by how it answers them (ADR 58)."""

from __future__ import annotations

from include.pipelines.deploy.shadow.compare import ShadowVerdict
from include.pipelines.deploy.shadow.request import PlannedShadow
from include.pipelines.deploy.shadow.trial import Shadow, ShadowFinding

__all__ = ["PlannedShadow", "Shadow", "ShadowFinding", "ShadowVerdict"]
