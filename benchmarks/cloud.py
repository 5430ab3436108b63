"""S3 of the local cloud against that of another commit, in one session.

    python -m benchmarks.cloud --base COMMIT

Both servers run at the same time, each from its own tree and with the same environment. In each round every value is
measured on one, then on the other, and the medians over the rounds are compared, so a slow minute of the machine
affects both. The load is raw HTTP from two processes with presigned URLs. The exit code is 1 when a ratio misses its
target.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from botocore.config import Config

from benchmarks.checkout import BASE, checkout
from benchmarks.cloud_load import get_many, keep_heading, put_big
from benchmarks.errors import BenchmarkError
from benchmarks.table import Row, table
from infra.localcloud.authorization.operator_key import load_or_create
from tests.support.localcloud import Cloud, base_config, running_cloud

ROOT = Path(__file__).parents[1]
KEYS = 20_000
ROUNDS = int(os.environ.get("ROUNDS", "3"))
GET_SECONDS = 3.0
READERS = 8
SMALL, LARGE, BIG = 64 * 1024, 8 * 1024**2, 200 * 1024**2
BUCKET = "bench-bucket"


@dataclass(frozen=True)
class Contestant:
    """A server, and what was measured on it."""

    name: str
    cloud: Cloud
    s3: Any
    values: dict[str, list[float]]


def fill(s3: Any) -> None:
    """Puts the objects of the listing and of the gets."""
    s3.create_bucket(Bucket=BUCKET)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket=BUCKET, Key=f"keys/{n % 100}/{n:06d}"), range(KEYS)))
    for name, size in (("small", SMALL), ("large", LARGE)):
        s3.put_object(Bucket=BUCKET, Key=name, Body=os.urandom(size))


def seconds(work: Callable[[], Any]) -> float:
    """The time that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def list_all(s3: Any, keys: int = KEYS) -> None:
    """Reads the whole listing and only counts: an SDK takes longer to parse it than S3 to write it."""
    found = 0
    token: dict[str, str] = {}
    while True:
        place = {"Bucket": BUCKET, "Prefix": "keys/", **token}
        with urllib.request.urlopen(s3.generate_presigned_url("list_objects_v2", Params=place)) as answer:
            page = answer.read()
        found += page.count(b"<Contents>")
        following = re.search(rb"<NextContinuationToken>(.*?)</", page)
        if not following:
            break
        token = {"ContinuationToken": following[1].decode()}
    if found != keys:
        raise BenchmarkError(f"the listing has {found} keys, not {keys}")


def presigned(s3: Any, operation: str, key: str) -> str:
    """A URL that the load needs no signature for."""
    url: str = s3.generate_presigned_url(operation, Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=3600)
    return url


def gets(contestant: Contestant, key: str, size: int) -> float:
    """MB/s of all readers together."""
    url = presigned(contestant.s3, "get_object", key)
    with ProcessPoolExecutor(2) as pool:
        counts = list(pool.map(get_many, [url] * 2, [READERS // 2] * 2, [GET_SECONDS] * 2))
    return sum(counts) * size / 1e6 / GET_SECONDS


def memory(contestant: Contestant, name: str) -> int:
    """A line of the server's memory status in bytes."""
    status = Path(f"/proc/{contestant.cloud.process.pid}/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith(name)).split()[1])


def measure_big(contestant: Contestant) -> None:
    """Puts and gets a big object: the latency of HEAD meanwhile, and the growth of the server's memory."""
    Path(f"/proc/{contestant.cloud.process.pid}/clear_refs").write_text("5")  # the peak counts from here
    before = memory(contestant, "VmRSS")
    ended = threading.Event()
    latencies: list[float] = []
    head = presigned(contestant.s3, "head_object", "small")
    heading = threading.Thread(target=keep_heading, args=(head, ended, latencies))
    heading.start()
    put_big(presigned(contestant.s3, "put_object", "big"), BIG)
    ended.set()
    heading.join()
    body = contestant.s3.get_object(Bucket=BUCKET, Key="big")["Body"]
    read = sum(len(block) for block in body.iter_chunks(1024**2))
    if read != BIG:
        raise BenchmarkError(f"the big object has {read} bytes, not {BIG}")
    contestant.values["longest HEAD during a 200 MB put, ms"].append(1000 * max(latencies))
    contestant.values["memory for a 200 MB put and get, × size"].append((memory(contestant, "VmHWM") - before) / BIG)
    contestant.s3.delete_object(Bucket=BUCKET, Key="big")


def measure(contestant: Contestant) -> None:
    """One round on one server."""
    s3, values = contestant.s3, contestant.values
    values["list 20,000 keys, s"].append(seconds(lambda: list_all(s3)))
    values["8 readers of 64 KiB, MB/s"].append(gets(contestant, "small", SMALL))
    values["8 readers of 8 MiB, MB/s"].append(gets(contestant, "large", LARGE))
    puts = [seconds(partial(s3.put_object, Bucket=BUCKET, Key=f"put/{n}", Body=b"x" * 1024)) for n in range(200)]
    values["put of 1 KiB, ms"].append(1000 * statistics.median(puts))
    heads = [seconds(lambda: s3.head_object(Bucket=BUCKET, Key="small")) for _ in range(200)]
    values["head, ms"].append(1000 * statistics.median(heads))
    measure_big(contestant)


# The value, whether more is better, and the ratio "base over ours" (or its inverse) that is the target.
TARGETS: dict[str, tuple[bool, float | None]] = {
    "list 20,000 keys, s": (False, 1 / 10),
    "8 readers of 64 KiB, MB/s": (True, 1 / 2.5),
    "8 readers of 8 MiB, MB/s": (True, 1 / 2.5),
    "longest HEAD during a 200 MB put, ms": (False, None),
    "put of 1 KiB, ms": (False, None),
    "head, ms": (False, None),
}
MEMORY = "memory for a 200 MB put and get, × size"


def rows(ours: dict[str, list[float]], base: dict[str, list[float]]) -> list[Row]:
    """The medians beside their targets; each ratio is better when it is lower."""
    made = []
    for name, (more, target) in TARGETS.items():
        mine, other = statistics.median(ours[name]), statistics.median(base[name])
        ratio = other / mine if more else mine / other
        made.append(Row(f"{name}, of base's", ratio, "", target, f"ours {mine:.3g}, base {other:.3g}"))
    peak = max(ours[MEMORY])
    note = f"base {max(base[MEMORY]):.2f}"
    return [*made, Row(MEMORY, peak, "", 1.3, note)]


def main() -> int:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=BASE, help="the commit to compare with")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the servers and removes the worktree
    with ExitStack() as stack:
        trees = {"ours": ROOT, "base": stack.enter_context(checkout(arguments.base))}
        contestants = []
        for name, tree in trees.items():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            load_or_create(folder / "state")  # a base from before the local cloud checked keys makes none
            cloud = stack.enter_context(running_cloud(folder, base_config(), root=tree))
            values: dict[str, list[float]] = {key: [] for key in [*TARGETS, MEMORY]}
            s3 = cloud.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
            contestants.append(Contestant(name, cloud, s3, values))
            fill(contestants[-1].s3)
        for turn in range(ROUNDS):
            for contestant in contestants if turn % 2 else contestants[::-1]:
                measure(contestant)
    made = rows(contestants[0].values, contestants[1].values)
    print(table(made))
    return int(any(row.verdict == "MISSED" for row in made))


if __name__ == "__main__":
    sys.exit(main())
