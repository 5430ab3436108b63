from __future__ import annotations

import pytest

from benchmarks import timeline

# plan, then two queries in parallel; sense_b ends later. It was deferred, failed once and was retried.
EVENTS = [
    (1.0, "plan", "running"),
    (2.0, "plan", "success"),
    (2.5, "sense_a", "running"),
    (2.5, "sense_b", "running"),
    (3.0, "sense_b", "deferred"),
    (4.0, "sense_a", "success"),
    (9.0, "sense_b", "running"),
    (9.5, "sense_b", "state mismatch"),
    (9.6, "sense_b", "failed"),
    (9.7, "sense_b", "success"),
    (24.6, "sense_b", "running"),
    (25.0, "sense_b", "success"),
    (25.2, "register", "running"),
    (26.0, "register", "success"),
]
UPSTREAM = {"sense_a": ["plan"], "sense_b": ["plan"], "register": ["plan", "sense_a", "sense_b", "never_ran"]}
TASKS = timeline.tasks_of(EVENTS)
PATH = ["plan", "sense_b", "register"]


def test_each_execution_of_a_task_and_its_outcome() -> None:
    assert TASKS["sense_b"].runs == ((2.5, 3.0, "deferred"), (9.0, 9.6, "failed"), (24.6, 25.0, "success"))
    assert (TASKS["sense_b"].retries, TASKS["plan"].retries) == (1, 0)


def test_the_critical_path_follows_the_upstream_that_ended_last() -> None:
    assert timeline.critical_path(TASKS, UPSTREAM) == PATH


def test_hops_are_between_the_end_of_a_task_and_the_beginning_of_the_next() -> None:
    assert timeline.hops(PATH, TASKS) == pytest.approx([0.5, 0.2])


@pytest.mark.parametrize(
    ("jobs", "left"),
    [
        ([], 10.0),
        ([(2.0, 4.0)], 8.0),
        ([(-5.0, 4.0)], 6.0),
        ([(8.0, 20.0)], 8.0),
        ([(2.0, 6.0), (3.0, 4.0)], 6.0),
        ([(20.0, 30.0), (-3.0, -1.0)], 10.0),
        ([(-1.0, 11.0)], 0.0),
    ],
)
def test_seconds_outside_the_jobs(jobs: list[timeline.Span], left: float) -> None:
    assert timeline.outside((0.0, 10.0), jobs) == pytest.approx(left)


def test_gaps_and_jobs_add_up_to_the_wall_clock_time() -> None:
    jobs = [(1.8, 7.0), (2.6, 8.0)]
    gaps = timeline.gaps(0.0, 26.5, PATH, TASKS, jobs)
    assert sum(gaps.values()) + 8.0 - 1.8 == pytest.approx(26.5)
    assert next(iter(gaps)) == "sense_b waits for its retry"
    assert gaps["sense_b waits for its retry"] == pytest.approx(15.0)
    assert gaps["sense_b notices the job's end"] == pytest.approx(1.0)
    assert gaps["after the last task"] == pytest.approx(0.5)
    assert "before sense_b starts" not in gaps  # a job ran then
