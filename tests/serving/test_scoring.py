from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from include.model.errors import ScoreError
from serving.scoring import CHUNK_ROWS, MAX_BATCHES, OverloadedError, Scoring
from tests.support.serving_state import FAST, SLOW, FakeModel, make_state


def record(length: float) -> dict[str, Any]:
    return {"text_length": length, "num_keywords": 3}


def share(row: list[float]) -> float:
    if row[0] < 0:
        raise ValueError("negative")
    return row[0] / 1000


def run[Result](work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(work)


def scoring(model: FakeModel, median: float = SLOW, **changes: Any) -> Scoring:
    return make_state(model, median, **changes).scoring


async def gathered(target: Scoring, lengths: list[float]) -> list[Any]:
    return await asyncio.gather(*(target.one(record(length)) for length in lengths), return_exceptions=True)


def test_a_fast_engine_is_called_on_the_event_loop():
    model = FakeModel(share)
    target = scoring(model, FAST)
    assert target.inline and run(gathered(target, [100, 200])) == [0.1, 0.2]
    assert model.calls == [1, 1]


def test_rows_that_wait_for_a_slow_engine_are_scored_together():
    model = FakeModel(share, seconds=0.05)
    answers = run(gathered(scoring(model), [float(i) for i in range(20)]))
    assert answers == [i / 1000 for i in range(20)]
    assert model.calls == [1, 19]


def test_a_refused_row_does_not_fail_the_others():
    model = FakeModel(share, seconds=0.02)
    answers = run(gathered(scoring(model), [1, 2, -3, 4]))
    assert [answer for answer in answers if not isinstance(answer, Exception)] == [0.001, 0.002, 0.004]
    assert isinstance(answers[2], ScoreError)


def test_a_crash_of_the_engine_fails_only_the_rows_of_its_call():
    broken = [True]

    def score(row: list[float]) -> float:
        if broken.pop() if broken else False:
            raise RuntimeError("broken")
        return 0.5

    async def twice() -> list[Any]:
        target = scoring(FakeModel(score))
        return [*await gathered(target, [1]), *await gathered(target, [1]), target.in_flight]

    first, second, left = run(twice())
    assert isinstance(first, RuntimeError) and second == 0.5 and left == 0


def test_records_beyond_the_limit_are_refused():
    model = FakeModel(share, seconds=0.05)
    answers = run(gathered(scoring(model, max_in_flight=4), [1.0] * 10))
    assert sum(isinstance(answer, OverloadedError) for answer in answers) == 6
    assert [answer for answer in answers if answer == 0.001] == [0.001] * 4


def test_a_cancelled_request_frees_its_place():
    async def cancelled() -> int:
        target = scoring(FakeModel(share, seconds=0.05))
        task = asyncio.create_task(target.one(record(1)))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await target.one(record(2)) == 0.002
        return target.in_flight

    assert run(cancelled()) == 0


@pytest.mark.parametrize("median", [FAST, SLOW])
def test_a_batch_is_scored_in_chunks_and_the_error_has_the_records_index(median: float):
    model = FakeModel(share)
    target = scoring(model, median)
    rows = CHUNK_ROWS * 2 + 1

    async def batch(bad: int | None) -> Any:
        records = [record(-1 if i == bad else i) for i in range(rows)]
        return await target.many(b"", lambda _: records, lambda one: one)

    checked, probabilities = run(batch(None))
    assert len(checked) == rows and probabilities == [i / 1000 for i in range(rows)]
    assert model.calls == [CHUNK_ROWS, CHUNK_ROWS, 1]
    with pytest.raises(ScoreError) as caught:
        run(batch(CHUNK_ROWS + 5))
    assert caught.value.index == CHUNK_ROWS + 5


@pytest.mark.parametrize("median", [FAST, SLOW])
def test_single_records_are_scored_between_the_chunks_of_a_batch(median: float):
    model = FakeModel(share, seconds=0.02)
    target = scoring(model, median)
    order: list[str] = []

    async def batch() -> None:
        await target.many(b"", lambda _: [record(1)] * CHUNK_ROWS * 10, lambda one: one)
        order.append("batch")

    async def single() -> None:
        await asyncio.sleep(0.01)
        await target.one(record(1))
        order.append("single")

    async def both() -> None:
        await asyncio.gather(batch(), single())

    run(both())
    assert order == ["single", "batch"]


def test_batches_beyond_the_limit_are_refused():
    target = scoring(FakeModel(share, seconds=0.02))

    async def many() -> list[Any]:
        work = [target.many(b"", lambda _: [record(1)], lambda one: one) for _ in range(MAX_BATCHES + 2)]
        return await asyncio.gather(*work, return_exceptions=True)

    assert sum(isinstance(answer, OverloadedError) for answer in run(many())) == 2
