"""A short chaos run; ``make chaos-cloud`` is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cloud_chaos import is_clean, report, run

pytestmark = pytest.mark.stack


def test_no_acknowledged_write_is_lost_or_torn_when_the_server_is_killed(tmp_path: Path) -> None:
    writes = run(tmp_path, kills=5, seed=8)
    assert is_clean(writes), report(writes) + "\n" + "\n".join(error for of in writes.values() for error in of.errors)
