"""Triggers the deploy DAG of each workload and follows it to its end.

The DAG alone changes what is live: it rolls the version out, verifies ``/version`` and the golden rows, and goes back
when something fails. ``live`` deploys the live version again with the new image; ``previous`` goes back to the model
before.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.airflow_api import AirflowApi, RunFailedError
from infra.delivery import airflow, command, workloads


class Lines:
    """Prints each task that ends."""

    def task(self, name: str, state: str, seconds: float, note: str = "") -> None:
        """Prints a task."""
        print(f"  {name}: {state} after {seconds:.1f} s{f' ({note})' if note else ''}", flush=True)

    def doing(self, text: str) -> None:
        """Nothing: a log keeps what ended only."""


def deploy(api: AirflowApi, names: list[str], version: str, reason: str | None, *, timeout: float) -> None:
    """Deploys a version of every workload, one after the other; a failure of one does not keep the others.

    Raises:
        RunFailedError: Runs failed. The text has the reason of each.
    """
    failures = []
    conf = {"version": version} | ({"reason": reason} if reason else {})
    for name in names:
        print(f"{name}_deploy, version {version}", flush=True)
        try:
            run = api.follow(f"{name}_deploy", api.trigger(f"{name}_deploy", conf), Lines(), timeout)
        except RunFailedError as failure:
            failures.append(str(failure))
        else:
            print(f"{name}_deploy: {run.state}; {api.link(run.dag_id, run.run_id)}", flush=True)
    if failures:
        raise RunFailedError("\n\n".join(failures))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.deploy", description=__doc__)
    made.add_argument("--version", default="live", help="live, previous, latest or a number (default: %(default)s)")
    made.add_argument("--version-file", type=Path, help="file with the version, in the place of --version")
    made.add_argument("--reason", help="why a version by its number, once live, replaces one with newer data")
    airflow.add_arguments(made)
    made.add_argument("--timeout", type=float, default=7200, help="seconds for each run (default: %(default)s)")
    return made


def main(given: argparse.Namespace) -> None:
    """Deploys."""
    names = workloads.chosen(given.workload)
    version = given.version_file.read_text().strip() if given.version_file else given.version
    deploy(airflow.api(given), names, version, given.reason, timeout=given.timeout)


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
