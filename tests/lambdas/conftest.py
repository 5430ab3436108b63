"""What the functions do with their roles is recorded for ``make iam``."""

from __future__ import annotations

from pathlib import Path

from tests.support.iam_records import SuiteRecorder

recorder = SuiteRecorder("lambdas", Path(__file__).parent)
pytest_deselected = recorder.deselect
pytest_runtest_logreport = recorder.add
pytest_sessionfinish = recorder.finish
