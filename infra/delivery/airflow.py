"""The Airflow that a command talks to: an MWAA environment, or an API server by its URL."""

from __future__ import annotations

import argparse

from infra.airflow_api import AirflowApi
from infra.airflow_api.http import HttpTransport
from infra.airflow_api.mwaa import MwaaTransport
from infra.delivery import aws


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options that name the Airflow and the workloads."""
    parser.add_argument("--environment", default="nightjar", help="the MWAA environment (default: %(default)s)")
    parser.add_argument("--airflow-url", help="an Airflow without login, in the place of MWAA")
    parser.add_argument("--poll-seconds", type=float, default=10, help="seconds between two looks at a run")
    parser.add_argument("--workload", action="append", help="a workload, also several times; default: all of them")
    aws.add_arguments(parser)


def api(given: argparse.Namespace) -> AirflowApi:
    """A client of the Airflow that the options name."""
    if given.airflow_url:
        return AirflowApi(HttpTransport(given.airflow_url), poll_seconds=given.poll_seconds)
    mwaa = aws.account(given).client("mwaa")
    return AirflowApi(MwaaTransport(mwaa, given.environment), poll_seconds=given.poll_seconds)
