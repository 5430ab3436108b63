"""Creates Airflow's pools, and checks that the DAGs of every workload are loaded without an import error.

A wrong setting (``NIGHTJAR_…``) is an import error of every DAG, which names the variable.
"""

from __future__ import annotations

import argparse
import sys

from infra.airflow_api import AirflowApi
from infra.airflow_api.pools import create_pools
from infra.delivery import airflow, command, workloads


def prepare(api: AirflowApi, names: list[str], *, timeout: float) -> None:
    """Creates the pools, then waits for the DAGs.

    Raises:
        AirflowRefusedError: A DAG has an import error, or is missing after ``timeout`` seconds.
    """
    create_pools(api)
    api.wait_for_dags([f"{name}_deploy" for name in names], timeout)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.prepare_airflow", description=__doc__)
    airflow.add_arguments(made)
    made.add_argument("--timeout", type=float, default=900, help="seconds to wait for the DAGs (default: %(default)s)")
    return made


def main(given: argparse.Namespace) -> None:
    """Prepares Airflow."""
    names = workloads.chosen(given.workload)
    prepare(airflow.api(given), names, timeout=given.timeout)
    print(f"The pools exist, and the DAGs of {', '.join(names)} are loaded.")


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
