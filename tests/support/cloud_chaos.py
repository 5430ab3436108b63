"""Kills a local cloud at random moments under concurrent writes, and counts what is lost, torn or there twice.

``python -m tests.support.cloud_chaos --kills 20`` prints the counts (``make chaos-cloud``).
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.chaos_writers import WRITERS, Writer, text_of
from tests.support.localcloud import Cloud
from tests.support.restarts import RestartedCloud

STORED = tuple(writer.service for writer in WRITERS)
LOAD_SECONDS = (0.5, 4.0)
_ONE_ATTEMPT = ClientConfig(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=30)


@dataclass
class Writes:
    """The writes to one service.

    Attributes:
        next: The number of the next write.
        acknowledged: The numbers of the writes that were answered with success.
        unanswered: How many writes the kills interrupted.
        lost: Acknowledged writes that were missing after a restart.
        torn: Writes that were there in part or changed.
        twice: Writes that were there more than once.
        errors: Errors that no kill explains.
    """

    next: int = 0
    acknowledged: set[int] = field(default_factory=set)
    unanswered: int = 0
    lost: set[int] = field(default_factory=set)
    torn: set[int] = field(default_factory=set)
    twice: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def check(self, writer: Writer) -> None:
        """Compares what is there with what was acknowledged."""
        found = writer.read()
        self.lost |= {number for number in self.acknowledged if not found.get(number)}
        self.torn |= {number for number, texts in found.items() if any(text != text_of(number) for text in texts)}
        self.twice |= {number for number, texts in found.items() if len(texts) > 1}


def run(
    folder: Path,
    *,
    kills: int,
    seed: int,
    services: Iterable[str] = STORED,
    after_kill: Callable[[dict[str, Writes]], None] = lambda writes: None,
) -> dict[str, Writes]:
    """Runs the chaos.

    Args:
        folder: The folder of the server.
        kills: How often the server is killed.
        seed: The seed of the moments.
        services: The services that are written to.
        after_kill: Called with the writes after each kill and check.

    Returns:
        The writes by service.
    """
    moments = random.Random(seed)
    writes = {service: Writes() for service in services}
    with RestartedCloud(folder) as server:
        for writer in _writers(server.cloud, writes):
            writer.prepare()
        for _ in range(kills):
            threads = [
                threading.Thread(target=_write, args=(writer, writes[writer.service]), daemon=True)
                for writer in _writers(server.cloud, writes)
            ]
            for thread in threads:
                thread.start()
            time.sleep(moments.uniform(*LOAD_SECONDS))
            server.end(signal.SIGKILL)
            for thread in threads:
                thread.join()
            for writer in _writers(server.start(), writes):
                writes[writer.service].check(writer)
            after_kill(writes)
    return writes


def _writers(cloud: Cloud, services: Iterable[str]) -> list[Writer]:
    return [kind(cloud.client(kind.service, config=_ONE_ATTEMPT)) for kind in WRITERS if kind.service in services]


def _write(writer: Writer, writes: Writes) -> None:
    """Writes until the server does not answer."""
    while True:
        number, writes.next = writes.next, writes.next + 1
        try:
            writer.write(number)
        except ClientError as error:
            writes.errors.append(str(error))
            return
        except BotoCoreError:  # no answer: the write may be there or not, but not in part
            writes.unanswered += 1
            return
        writes.acknowledged.add(number)
        time.sleep(writer.pause_seconds)


def report(writes: dict[str, Writes]) -> str:
    """The counts as a table."""
    lines = [f"{'service':16}{'acknowledged':>14}{'unanswered':>12}{'lost':>6}{'torn':>6}{'twice':>7}{'errors':>8}"]
    for service, of in writes.items():
        lines.append(
            f"{service:16}{len(of.acknowledged):>14}{of.unanswered:>12}{len(of.lost):>6}{len(of.torn):>6}"
            f"{len(of.twice):>7}{len(of.errors):>8}"
        )
    return "\n".join(lines)


def is_clean(writes: dict[str, Writes]) -> bool:
    """Whether nothing is lost, torn or there twice, and every service was written to."""
    return all(of.acknowledged and not (of.lost or of.torn or of.twice or of.errors) for of in writes.values())


def main() -> int:
    """Runs the chaos and prints the counts; 1 if anything is lost, torn or there twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20261128)
    parser.add_argument("--services", nargs="+", default=STORED, choices=[writer.service for writer in WRITERS])
    options = parser.parse_args()

    def tell(writes: dict[str, Writes]) -> None:
        acknowledged = sum(len(of.acknowledged) for of in writes.values())
        bad = sum(len(of.lost | of.torn | of.twice) for of in writes.values())
        sys.stdout.write(f"killed and checked: {acknowledged} acknowledged writes so far, {bad} lost, torn or twice\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory() as folder:
        writes = run(Path(folder), kills=options.kills, seed=options.seed, services=options.services, after_kill=tell)
    sys.stdout.write(f"{options.kills} kills, seed {options.seed}\n{report(writes)}\n")
    for service, of in writes.items():
        for error in of.errors[:3]:
            sys.stdout.write(f"{service}: {error}\n")
    return 0 if is_clean(writes) else 1


if __name__ == "__main__":
    sys.exit(main())
