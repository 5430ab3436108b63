"""A shard's records in compressed blocks: read as they were put, also after a restart, and small."""

from __future__ import annotations

import base64
import json
import random
import threading
import zlib
from bisect import bisect_right
from itertools import pairwise
from typing import Any

import pytest

from infra.localcloud.kinesis.shard import BLOCK_BYTES, BLOCK_RECORDS, Shard
from infra.localcloud.state.elements import Difference
from infra.localcloud.state.large import elements_of

FIRST = 4959 * 10**52
SIZES = (0, 1, BLOCK_RECORDS - 1, BLOCK_RECORDS, BLOCK_RECORDS + 1, 3 * BLOCK_RECORDS + 7)


def shard() -> Shard:
    return Shard(0, 0, 2**128 - 1, FIRST, 0.0)


def put(found: Shard, number: int) -> tuple[int, float, str, str]:
    """Puts a record; every second one has the time of the one before."""
    event = {"event_type": "scheduled", "key": f"2013-06-21-AA-{number}", "delay": number % 60}
    record = (
        FIRST + 3 * number + 1,
        1e9 + number // 2 / 7,
        f"key-{number}",
        base64.b64encode(json.dumps(event).encode()).decode(),
    )
    found.append(*record)
    return record


def values(found: Shard, position: int, limit: int | None = None) -> list[tuple[int, float, str, str]]:
    return [(one.sequence_number, one.arrived, one.partition_key, one.data) for one in found.read(position, limit)[0]]


@pytest.mark.parametrize("size", SIZES)
def test_every_position_and_limit_reads_what_was_put(size: int) -> None:
    found = shard()
    expected = [put(found, number) for number in range(size)]
    assert found.end() == size
    chosen = random.Random(7)
    around = {0, *(edge + by for edge in range(0, size + 1, BLOCK_RECORDS) for by in (-1, 0, 1)), size}
    for position in {*(one for one in around if 0 <= one <= size), *chosen.choices(range(size + 1), k=10)}:
        for limit in (None, 1, BLOCK_RECORDS, BLOCK_RECORDS + 1):
            assert values(found, position, limit) == expected[position : position + (limit or size)]


def test_sequence_numbers_and_times_find_their_positions_in_and_between_blocks() -> None:
    found = shard()
    records = [put(found, number) for number in range(2 * BLOCK_RECORDS + 5)]
    for position, (sequence, arrived, *_) in enumerate(records):
        assert found.knows(sequence) and not found.knows(sequence + 1)
        assert (found.after(sequence), found.after(sequence - 1)) == (position + 1, position)
        assert found.at_time(arrived) == position // 2 * 2
    assert found.knows(FIRST) and not found.knows(FIRST - 1)


def test_the_delay_of_a_reader_is_the_same_in_blocks() -> None:
    found = shard()
    for number in range(2 * BLOCK_RECORDS + 5):
        found.append(FIRST + number + 1, float(number), "key", "ZGF0YQ==")
    for read in (1, BLOCK_RECORDS, BLOCK_RECORDS + 44):
        assert found.read(0, read)[1] == (2 * BLOCK_RECORDS + 5 - read) * 1000
    assert found.read(0, None)[1] == 0


class Stored:
    """What the database has of a shard's elements."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, list[object]]] = {}
        self._markers: dict[str, object] = {}

    def save(self, found: Shard) -> None:
        """Saves what changed."""
        for elements in elements_of(Shard):
            change: Difference
            change, self._markers[elements.attribute] = elements.difference(
                found, self._markers.get(elements.attribute)
            )
            rows = self.rows.setdefault(elements.attribute, {})
            if change.clear:
                rows.clear()
            rows |= {position: list(chunk) for position, chunk in change.put}

    def restore(self) -> Shard:
        found = shard()
        for elements in elements_of(Shard):
            elements.load(found, iter(self.rows.get(elements.attribute, {}).items()))
        found.restored()
        return found


@pytest.mark.parametrize("every", [1, 100, BLOCK_RECORDS, BLOCK_RECORDS + 1])
def test_a_restart_restores_every_record_and_goes_on(every: int) -> None:
    found, stored = shard(), Stored()
    expected = []
    for number in range(2 * BLOCK_RECORDS + 50):
        expected.append(put(found, number))
        if number % every == 0:
            stored.save(found)
    stored.save(found)
    again = stored.restore()
    assert values(again, 0) == expected
    expected += [put(again, number) for number in range(len(expected), len(expected) + BLOCK_RECORDS)]
    assert values(again, 0) == expected


def test_a_block_that_is_sealed_while_the_shard_is_saved_is_restored_once() -> None:
    found, stored = shard(), Stored()
    expected = [put(found, number) for number in range(BLOCK_RECORDS - 1)]
    newest, blocks = elements_of(Shard)
    change, _ = newest.difference(found, None)
    stored.rows[newest.attribute] = {position: list(chunk) for position, chunk in change.put}
    expected.append(put(found, len(expected)))  # by another thread
    change, _ = blocks.difference(found, None)
    stored.rows[blocks.attribute] = {position: list(chunk) for position, chunk in change.put}
    assert values(stored.restore(), 0) == expected


def test_a_record_that_is_given_a_number_twice_is_restored_twice() -> None:
    """A kill may undo what the stream says of its next number, and not a record that has it."""
    found, stored = shard(), Stored()
    for data in ("Zmlyc3Q=", "c2Vjb25k"):
        found.append(FIRST + 1, 1.0, "key", data)
    stored.save(found)
    assert [data for *_, data in values(stored.restore(), 0)] == ["Zmlyc3Q=", "c2Vjb25k"]


def test_large_records_are_sealed_before_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    compress = zlib.compress

    def sized(data: bytes, level: int) -> bytes:
        sizes.append(len(data))
        return compress(data, level)

    monkeypatch.setattr("infra.localcloud.kinesis.shard.zlib.compress", sized)
    found = shard()
    expected = [(FIRST + number + 1, 1.0, "key", f"{number:04}" * 25_000) for number in range(20)]
    for record in expected:
        found.append(*record)
    assert values(found, 0) == expected
    assert values(found, 7, 2) == expected[7:9]
    assert len(sizes) == 6 and max(sizes) < BLOCK_BYTES + 110_000


def test_a_reader_sees_every_record_while_a_block_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shard()
    seen: list[list[tuple[int, float, str, str]]] = []
    compress = zlib.compress

    def beside_a_reader(*args: Any) -> bytes:
        seen.append(values(found, 0))
        return compress(*args)

    monkeypatch.setattr("infra.localcloud.kinesis.shard.zlib.compress", beside_a_reader)
    expected = [put(found, number) for number in range(BLOCK_RECORDS)]
    assert seen == [expected[:-1]]


def test_a_block_that_is_sealed_while_a_reader_looks_for_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shard()
    expected = [put(found, number) for number in range(BLOCK_RECORDS - 1)]

    def beside_a_writer(*args: Any) -> int:
        monkeypatch.undo()
        position = bisect_right(*args)
        expected.extend(put(found, number) for number in range(BLOCK_RECORDS - 1, BLOCK_RECORDS + 9))
        return position

    monkeypatch.setattr("infra.localcloud.kinesis.shard.bisect_right", beside_a_writer)
    assert values(found, 5, 7) == expected[5:12]
    assert len(expected) == found.end() == BLOCK_RECORDS + 9


def test_a_reader_beside_a_writer_misses_and_repeats_nothing() -> None:
    found = shard()
    count = 20 * BLOCK_RECORDS
    writer = threading.Thread(target=lambda: [put(found, number) for number in range(count)])
    writer.start()
    read: list[int] = []
    while len(read) < count:
        read += [sequence for sequence, *_ in values(found, len(read), 100)]
        assert writer.is_alive() or found.end() == count
    writer.join()
    assert len(read) == count and all(later - earlier == 3 for earlier, later in pairwise(read))


def test_old_records_take_a_fraction_of_their_data() -> None:
    found, stored = shard(), Stored()
    data = sum(len(put(found, number)[3]) for number in range(10 * BLOCK_RECORDS))
    stored.save(found)
    kept = [value for chunks in stored.rows.values() for chunk in chunks.values() for value in chunk]
    assert len(kept) == 10  # no record is kept on its own
    assert sum(len(block) for block in kept if isinstance(block, bytes)) < data / 4
