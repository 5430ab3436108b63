"""The exception of the benchmarks."""

from __future__ import annotations

from include.errors import NightjarError


class BenchmarkError(NightjarError):
    """A measurement is impossible. The text says why and what to do next."""
