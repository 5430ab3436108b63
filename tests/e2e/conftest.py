"""One laptop stack for all end-to-end tests."""

from __future__ import annotations

from tests.support.loop import loop

__all__ = ["loop"]
