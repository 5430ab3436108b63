"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test asserts on seconds, and a test that failed must fail again: no deadline, and examples that depend on the test alone.
settings.register_profile("nightjar", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nightjar")
