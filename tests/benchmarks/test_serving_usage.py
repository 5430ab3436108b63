"""CPU time and memory of a process tree, compared with processes that use known amounts."""

import os
import subprocess
import sys

import pytest

from benchmarks.serving import usage

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's"),
]
# User and system time are each reported in whole ticks of 10 ms.
LEAST = 0.33
# Uses this much CPU time, prints a line, and waits until its input ends.
BURN = "import time\nwhile time.process_time() < {}: pass\n"
STAY = "import sys\nprint('done', flush=True)\nsys.stdin.read()\n"


@pytest.fixture
def start():
    running = []

    def one(code):
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout is not None and process.stdout.readline() == "done\n"
        return process.pid

    yield one
    for process in running:
        process.communicate(timeout=20)


def test_cpu_time_of_a_busy_process(start):
    assert LEAST <= usage.cpu_seconds(start(BURN.format(0.35) + STAY)) < 0.8


def test_a_live_childs_cpu_time_counts_too(start):
    child = BURN.format(0.35) + STAY
    code = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n" + STAY + "child.communicate()\n"
    )
    pid = start(code)
    assert len(usage.tree(pid)) == 2
    assert usage.cpu_seconds(pid) >= LEAST


def test_an_ended_childs_cpu_time_counts_too(start):
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN.format(0.35)!r}])\n" + STAY
    pid = start(code)
    assert len(usage.tree(pid)) == 1
    assert usage.cpu_seconds(pid) >= LEAST


def test_pss_counts_a_shared_page_once(start):
    # 64 MB that the child shares after the fork: each process counts half.
    held = "import os\nheld = b'x' * 64_000_000\nread, write = os.pipe()\n"
    forks = held + "if os.fork() == 0:\n    os.close(write)\n    os.read(read, 1)\n    os._exit(0)\n" + STAY
    alone, shared = usage.pss_bytes(start(held + STAY)), usage.pss_bytes(start(forks))
    assert alone > 64_000_000
    assert shared < alone + 20_000_000


def test_a_process_that_has_ended_uses_nothing():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(20)
    assert usage.tree(ended.pid) == []
    assert usage.cpu_seconds(ended.pid) == 0
    assert usage.tree(os.getpid())[0] == os.getpid()
