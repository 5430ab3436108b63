"""The end-to-end suite's record: when it counts as whole, and when it replaces another."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from infra.laptop.config import ROOT, LaptopConfig
from infra.laptop.iam import record
from infra.laptop.iam.record import Call, Provoked
from infra.localcloud import request_file
from tests.support.iam_records import CALLS, Calls, SuiteRecorder, functions_of, keep, provoking

FOLDER = ROOT / "tests" / "e2e"
NAMES = sorted(functions_of(FOLDER))
CALL = {Call("nightjar-glue", "s3:GetObject", "a"): 1}


def report(
    name: str, outcome: Literal["passed", "failed", "skipped"], when: Literal["setup", "call", "teardown"]
) -> pytest.TestReport:
    """What pytest reports of a phase of a test of the suite."""
    return pytest.TestReport(f"tests/e2e/{name}", (name, 1, name), {}, outcome, None, when)


def recorder(*, failed: str = "", skipped: str = "", left_out: str = "") -> SuiteRecorder:
    """A recorder that has followed a run of the suite."""
    made = SuiteRecorder("usage", FOLDER)
    for name in NAMES:
        if name == skipped:
            made.add(report(name, "skipped", "setup"))
        elif name != left_out:
            made.add(report(name, "passed", "setup"))
            made.add(report(name, "failed" if name == failed else "passed", "call"))
    return made


CALLS_MADE = Calls("digest", CALL, {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return record.path(LaptopConfig.from_env(home=tmp_path), "usage")


def test_a_run_of_all_tests_is_whole(file: Path) -> None:
    told = recorder().write(CALLS_MADE, file)
    found = record.load(file)
    assert found is not None
    assert (found.incomplete, found.suite, found.policies, found.allowed) == ("", "tests/e2e", "digest", CALL)
    assert found.tests == {"passed": len(NAMES)}
    assert found.commit
    assert "usage.json" in told


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (recorder(failed=NAMES[0]), "1 tests failed"),
        (recorder(left_out=NAMES[0]), f"1 tests did not run or were skipped, for example {NAMES[0]}"),
        (recorder(skipped=NAMES[-1]), f"1 tests did not run or were skipped, for example {NAMES[-1]}"),
    ],
    ids=["failed", "left out", "skipped"],
)
def test_a_run_that_is_not_whole_says_why(file: Path, run: SuiteRecorder, why: str) -> None:
    told = run.write(CALLS_MADE, file)
    found = record.load(file)
    assert found is not None
    assert found.incomplete == why
    assert why in told


def test_a_failed_teardown_is_a_failure() -> None:
    run = recorder()
    run.add(report(NAMES[0], "failed", "teardown"))
    assert run.incomplete() == "1 tests failed"


def test_a_part_of_the_suite_keeps_the_record_of_a_whole_one_and_a_failed_suite_replaces_it(file: Path) -> None:
    recorder().write(CALLS_MADE, file)
    assert "keeps the record" in recorder(left_out=NAMES[0]).write(CALLS_MADE, file)
    whole = record.load(file)
    assert whole is not None
    assert not whole.incomplete
    recorder(failed=NAMES[0]).write(CALLS_MADE, file)
    broken = record.load(file)
    assert broken is not None
    assert broken.incomplete


def test_tests_of_other_folders_do_not_count() -> None:
    run = recorder()
    run.add(pytest.TestReport("tests/lake/test_x.py::test_x", ("x", 1, "x"), {}, "failed", None, "call"))
    assert not run.incomplete()


def test_a_session_without_the_stack_writes_nothing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SuiteRecorder, "write", lambda *_: pytest.fail("a record was written"))
    SuiteRecorder("no such record", FOLDER).finish(request.session)


def test_a_stack_that_never_started_has_made_no_calls(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    keep(request.config, "a test's", tmp_path, "digest")
    assert request.config.stash[CALLS].pop("a test's") == Calls("digest", {}, {})


def test_what_is_provoked_is_provoked_only_within_the_block() -> None:
    provoked: list[Provoked] = []
    before = request_file.now()
    with pytest.raises(KeyError), provoking(provoked, "nightjar-glue", "s3:GetObject"):
        raise KeyError
    (found,) = provoked
    assert before <= found.since <= found.until <= request_file.now()
    assert (found.role, found.action) == ("nightjar-glue", "s3:GetObject")
