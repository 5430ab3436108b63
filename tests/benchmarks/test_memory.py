from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from benchmarks import memory
from infra.laptop.processes import ProcessRecord, Supervisor

ROLLUP = "5570-7fff ---p 00000000 00:00 0    [rollup]\nRss:     2000 kB\nPss:     1024 kB\nPss_Dirty:   3 kB\n"


def test_the_pss_of_a_rollup() -> None:
    assert memory.rollup_bytes(ROLLUP) == 1024 * 1024
    assert memory.rollup_bytes("") == 0


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="PSS needs Linux")
def test_a_process_of_the_stack_counts_and_a_reused_pid_does_not(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    created = psutil.Process().create_time()
    for name, at in (("mine", created), ("stale", created - 1000)):
        record = ProcessRecord(name, os.getpid(), at, str(tmp_path / "log"), 15, "")
        (pids / f"{name}.json").write_text(json.dumps(asdict(record)))
    found = memory.sample(Supervisor(tmp_path))
    assert set(found.by_name) == {"mine"}
    assert found.total > sys.getsizeof("")
    assert found.processes >= 1
