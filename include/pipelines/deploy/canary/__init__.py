"""A new version first gets a share of the requests, and is promoted or rolled back by what it answers (ADR 47)."""

from __future__ import annotations

from include.pipelines.deploy.canary.compare import Verdict
from include.pipelines.deploy.canary.hooks import CanaryHooks
from include.pipelines.deploy.canary.trial import Canary, Trial

__all__ = ["Canary", "CanaryHooks", "Trial", "Verdict"]
