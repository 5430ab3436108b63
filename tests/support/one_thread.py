"""Limits OpenMP and BLAS to one thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """The data are tiny: on a busy machine, OpenMP's waiting threads cost ten times what they save."""
    with threadpool_limits(1):
        yield
