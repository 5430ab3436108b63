"""Tests that need the compiled extension. A machine without a compiler skips them; in CI they then fail."""

from __future__ import annotations

import os

import pytest

from include.model.engines import native_model

COMPILED = getattr(native_model.nightjar_walk, "BOOSTED", 0) >= native_model.SINGLE  # not that of an earlier release
needs_compiled = pytest.mark.skipif(
    not COMPILED and not os.environ.get("CI"), reason=f"{native_model.NotCompiledError()}"
)
