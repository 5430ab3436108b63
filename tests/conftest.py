"""Settings of Hypothesis for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No deadline, because no test asserts on durations; derandomized, so that a failed test fails again.
settings.register_profile("nightjar", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nightjar")
