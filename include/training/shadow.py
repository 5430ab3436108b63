"""The shadow job: ``python -m include.training.shadow --workload NAME --requests N --live … --candidate …``.

A SageMaker processing job. The candidate scores requests that the live version has answered, one by one, through the
same request schema, feature code and engine as in the service; nobody gets its answers. Inputs below
``processing/input`` are ``candidate`` and ``live`` (bundle.tar.gz) and ``log``, with the prediction log in folders. It
writes ``shadow.json``; its exit message is the sha256 of that, by which the deploy run checks the document.

The live version scores the requests again: so the two times can be compared, and a log that cannot be scored as the
callers' requests were is noticed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from include.lake import layout
from include.model import bundle, golden
from include.model.bundle import Bundle
from include.model.shadow import FORMAT, ShadowDigest, ShadowReport
from include.training import container, shadow_answers
from include.training.container import JobError
from include.training.shadow_requests import LoggedRequest, sample


def main(arguments: list[str] | None = None) -> None:
    """Scores the log's requests with both versions and writes the document.

    Raises:
        JobError: A bundle cannot be loaded, or does not score its golden rows as in training.
    """
    options = _options(arguments)
    requests, read = sample(container.processing_input("log"), options.live, options.requests)
    with tempfile.TemporaryDirectory(prefix="nightjar-shadow-") as folder:
        live, candidate = (_load(role, options, Path(folder)) for role in ("live", "candidate"))
        pairs = shadow_answers.answer_all(live, candidate, requests)
    report: ShadowReport = {
        "format": FORMAT,
        "workload": options.workload,
        "live_digest": options.live,
        "candidate_digest": options.candidate,
        "read": read,
        "requests": len(pairs),
        "refused": shadow_answers.refused(pairs),
        "failed": shadow_answers.failed(pairs),
        "differences": shadow_answers.differences(pairs),
        "changed": shadow_answers.changed(pairs),
        "scores": shadow_answers.scores(pairs),
        "latency": shadow_answers.latencies(pairs),
        "control": shadow_answers.control(pairs),
    }
    document = (json.dumps(report, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
    (container.processing_output() / layout.SHADOW_FILE).write_bytes(document)
    digest: ShadowDigest = {"shadow_sha256": bundle.sha256_hex(document)}
    container.write_exit_message(json.dumps(digest))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.training.shadow")
    parser.add_argument("--workload", required=True)
    parser.add_argument("--requests", type=int, required=True, help="largest number of requests")
    parser.add_argument("--live", required=True, help="sha256 that the live version's bundle.tar.gz must have")
    parser.add_argument("--candidate", required=True, help="sha256 that the candidate's must have")
    return parser.parse_known_args(arguments)[0]


def _load(role: str, options: argparse.Namespace, folder: Path) -> Bundle:
    """Loads a bundle as the service does."""
    archive = container.only_file(container.processing_input(role))
    try:
        loaded = bundle.open_packed(archive, getattr(options, role), folder)
    except bundle.BundleError as error:
        raise JobError(f"The bundle of the {role} version cannot be loaded: {error}") from error
    if loaded.manifest.workload != options.workload:
        raise JobError(
            f"The {role} version is a model of workload {loaded.manifest.workload}, not of {options.workload}. "
            "Correct the job's inputs."
        )
    result = golden.rescore(loaded.golden, loaded.schema, loaded.scorer)
    if not result.ok:
        raise JobError(f"The {role} version does not score as it did in training: {result.reason}")
    # An engine's first call is slow.
    shadow_answers.answer(loaded, LoggedRequest(dict(loaded.golden[0].request), 0.0, 0, ""))
    return loaded


if __name__ == "__main__":
    container.run(main)
