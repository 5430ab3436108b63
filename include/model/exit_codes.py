"""Exit codes of the service. A deploy reads them from ECS's stopped tasks to decide whose fault a failed rollout is."""

from __future__ import annotations

SETTINGS = 2
"""A setting is wrong, or a port cannot be used."""
BUNDLE = 3
"""The bundle cannot be served: damaged, of another workload, its golden rows score differently."""
CRASHES = 4
"""Workers crashed again and again."""
SOURCE = 5
"""The bundle could not be fetched: the call was denied or throttled, or S3 could not be reached."""
