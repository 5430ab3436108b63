"""The shadow job: which requests of the log are scored, what two versions answer to them, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from include.model import bundle
from include.model.request import RequestSchema
from include.model.shadow import ShadowReport
from include.training import shadow
from include.training.container import JobError
from include.training.shadow_answers import answer
from include.training.shadow_requests import LoggedRequest, sample
from include.workloads import FieldSpec
from tests.support.bundles import (
    TEXT_FEATURES,
    TEXT_REQUEST,
    dump,
    golden_lines,
    open_bundle,
    opposite_text_model,
    packed_texts,
    seal_text,
    text_rows,
)

LIVE = "a" * 64


def line(number: int, digest: str = LIVE, **changes: Any) -> str:
    entry = {
        "request_id": f"r{number}", "time": f"2026-11-29T10:{number // 60:02d}:{number % 60:02d}Z",
        "bundle_digest": digest, "features": {"text_length": 5.0 + number, "num_keywords": number % 9},
        "probability": 0.25, "prediction": 0,
    }  # fmt: skip
    return json.dumps({**entry, **changes}) + "\n"


def write(folder: Path, *lines: str, name: str = "0/part-1") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))
    return folder


# --- the sample
def test_only_what_the_live_version_answered_is_taken_and_a_line_that_came_twice_counts_once(tmp_path: Path) -> None:
    mine = [line(number) for number in range(5)]
    write(tmp_path, *mine, line(7, "b" * 64), mine[0], "\n")
    write(tmp_path, line(6, features={"text_length": 1.0, "num_keywords": None}), "{" + LIVE, name="1/part-2")
    requests, read = sample(tmp_path, LIVE, 100)
    assert [request.time[-3:] for request in requests] == ["00Z", "01Z", "02Z", "03Z", "04Z", "06Z"]
    assert requests[-1].record == {"text_length": 1.0}  # null is not given
    assert (read["lines"], read["answered"], read["unreadable"]) == (9, 8, 1)
    assert (read["first"], read["last"]) == ("2026-11-29T10:00:00Z", "2026-11-29T10:00:06Z")


def test_of_many_a_random_sample_is_taken_which_is_the_same_each_time_and_in_any_order(tmp_path: Path) -> None:
    lines = [line(number) for number in range(600)]
    one = sample(write(tmp_path / "one", *lines), LIVE, 60)[0]
    other = sample(write(tmp_path / "other", *reversed(lines), *lines[:50]), LIVE, 60)[0]
    assert one == other and len(one) == 60
    taken = {int(request.record["text_length"]) - 5 for request in one}
    assert any(number < 100 for number in taken) and any(number >= 500 for number in taken)


# --- the job
class Job:
    """A job's folders, in which the live version's log is written as the service does."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        monkeypatch.setenv("ML_ROOT", str(root))

    def run(self, live: bytes, new: bytes, **options: Any) -> ShadowReport:
        for role, content in (("live", live), ("candidate", new)):
            folder = self.root / "processing/input" / role
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "bundle.tar.gz").write_bytes(content)
        digests = [hashlib.sha256(content).hexdigest() for content in (live, new)]
        self.log(live, digests[0])
        arguments = ["--workload", "texts", "--requests", "500", "--live", digests[0], "--candidate", digests[1]]
        shadow.main([*arguments, *(f"--{name}={value}" for name, value in options.items())])
        text = (self.root / "processing/output/shadow.json").read_bytes()
        assert json.loads((self.root / "output/message").read_text()) == {
            "shadow_sha256": hashlib.sha256(text).hexdigest()
        }
        found: ShadowReport = json.loads(text)
        return found

    def log(self, live: bytes, digest: str) -> None:
        scorer = open_bundle(live, self.root).scorer
        rows = text_rows()[0]
        probabilities = scorer.probabilities(rows)
        lines = [
            line(
                number, digest, features=row, probability=float(probability),
                prediction=scorer.prediction(float(probability)),
            )
            for number, (row, probability) in enumerate(zip(rows, probabilities, strict=True))
        ]  # fmt: skip
        write(self.root / "processing/input/log", *lines)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    return Job(tmp_path, monkeypatch)


def test_a_version_with_the_same_model_answers_the_same(job: Job) -> None:
    found = job.run(packed_texts(), packed_texts(dataset_version="e" * 64))
    assert (found["requests"], found["refused"]["requests"], found["failed"]["requests"]) == (60, 0, 0)
    assert found["differences"]
    assert found["differences"] == pytest.approx({"mean": 0, "absolute": 0, "p95": 0, "largest": 0}, abs=1e-12)
    assert found["changed"] == {"to_1": 0, "to_0": 0}
    assert (found["control"]["requests"], found["control"]["differing"]) == (60, 0)
    assert found["scores"]["live"] == found["scores"]["candidate"] and sum(found["scores"]["live"]) == 60
    assert found["latency"] and all(0 < times["median"] <= times["p95"] for times in found["latency"].values())


def test_another_model_is_compared_request_by_request(job: Job) -> None:
    found = job.run(packed_texts(), packed_texts(opposite_text_model()))
    _, matrix, labels = text_rows()
    live = LogisticRegression().fit(matrix, labels).predict_proba(matrix)[:, 1]
    differences = opposite_text_model().predict_proba(matrix)[:, 1] - live
    assert found["differences"]
    assert found["differences"]["absolute"] == pytest.approx(np.abs(differences).mean())
    assert found["differences"]["mean"] == pytest.approx(differences.mean())
    assert found["differences"]["largest"] == pytest.approx(np.abs(differences).max())
    assert found["changed"] == {"to_1": int((live < 0.5).sum()), "to_0": int((live >= 0.5).sum())}
    assert found["control"]["differing"] == 0


def test_what_a_stricter_schema_refuses_is_counted_with_its_reason(job: Job) -> None:
    more = {**TEXT_REQUEST, "language": FieldSpec(type="string", description="as a code", example="en")}
    rows, matrix, labels = text_rows()
    fitted = LogisticRegression().fit(matrix, labels)
    lines = b"".join(
        json.dumps({**entry, "request": {**entry["request"], "language": "en"}}).encode() + b"\n"
        for entry in map(json.loads, golden_lines(rows, fitted).splitlines())
    )
    found = job.run(packed_texts(), bundle.pack(seal_text(dump(fitted), lines, request=more)))
    assert found["refused"] == {"requests": 60, "reasons": {"language is missing": 60}}
    assert (found["differences"], found["latency"]) == (None, None)


def test_what_its_features_cannot_compute_is_counted_with_its_reason(job: Job) -> None:
    source = TEXT_FEATURES + b"\n\n_features = features\n\n\ndef features(record):\n"
    source += b"    return _features(record) if record['num_keywords'] != 4 else {}[record['num_keywords']]\n"
    rows, matrix, labels = text_rows()
    fitted = LogisticRegression().fit(matrix, labels)
    answered = [row for row in rows if row["num_keywords"] != 4]
    found = job.run(packed_texts(), bundle.pack(seal_text(dump(fitted), golden_lines(answered, fitted), source=source)))
    failed = sum(row["num_keywords"] == 4 for row in rows)
    assert found["failed"] == {"requests": failed, "reasons": {"features() failed: KeyError: 4": failed}}
    assert sum(found["scores"]["candidate"]) == 60 - failed


def test_an_engine_that_crashes_or_answers_no_number_has_failed() -> None:
    def crashes(row: list[float]) -> float:
        raise RuntimeError("out of range")

    for one, reason in ((crashes, "RuntimeError: out of range"), (lambda row: float("nan"), "is not a number")):
        version: Any = SimpleNamespace(
            schema=RequestSchema(TEXT_REQUEST),
            scorer=SimpleNamespace(row=lambda record: [1.0, 2.0]),
            model=SimpleNamespace(one=one),
        )
        answered = answer(version, LoggedRequest(text_rows()[0][0], 0.5, 1, ""))
        assert answered.probability is None and reason in answered.failed


def test_a_log_that_the_live_version_does_not_repeat_is_noticed(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    write_log = Job.log

    def altered(self: Job, live: bytes, digest: str) -> None:
        write_log(self, live, digest)
        path = self.root / "processing/input/log/0/part-1"
        entries = [json.loads(text) for text in path.read_text().splitlines()]
        path.write_text("".join(json.dumps({**entry, "probability": 0.123}) + "\n" for entry in entries))

    monkeypatch.setattr(Job, "log", altered)
    assert job.run(packed_texts(), packed_texts(dataset_version="e" * 64))["control"]["differing"] == 60


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"candidate": "0" * 64}, "candidate version cannot be loaded: The bundle has the sha256"),
        ({"workload": "flights"}, "is a model of workload texts, not of flights"),
    ],
)
def test_a_bundle_that_is_not_the_one_that_was_asked_for_is_refused(
    job: Job, options: dict[str, str], reason: str
) -> None:
    with pytest.raises(JobError, match=reason):
        job.run(packed_texts(), packed_texts(dataset_version="e" * 64), **options)


def test_a_bundle_that_does_not_score_as_in_training_is_refused(job: Job) -> None:
    rows, matrix, labels = text_rows()
    wrong = bundle.pack(
        seal_text(dump(opposite_text_model()), golden_lines(rows, LogisticRegression().fit(matrix, labels)))
    )
    with pytest.raises(JobError, match="does not score as it did in training"):
        job.run(packed_texts(), wrong)
