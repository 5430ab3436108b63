"""Clients of AWS in the laptop's tasks: what they read is shared. Needs Airflow, as test_executor.py does."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.loaders import JSONFileLoader, create_loader

from infra.laptop.airflow_environment import SITE

pytestmark = pytest.mark.stack
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}


@pytest.fixture
def clients() -> Iterator[Any]:
    """The module. What it changes in libraries is changed in a fork only, so that no other test sees it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", create_loader)  # Airflow may have loaded the laptop's plugin
        patch.syspath_prepend(SITE)
        yield importlib.import_module("nightjar_laptop.aws_clients")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts the files that are read, by whatever loader."""
    load = JSONFileLoader.load_file

    def counting(self: JSONFileLoader, file_path: str) -> Any:
        found = load(self, file_path)
        Read.files += found is not None
        return found

    monkeypatch.setattr(JSONFileLoader, "load_file", counting)


class Read:
    """The number of files that were read in this process."""

    files = 0


def in_fork(action: Any) -> int:
    """What an action returns, a small number, in a forked process."""
    pid = os.fork()
    if pid == 0:
        try:
            code = action()
        except BaseException:
            code = 255
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def files_read(service: str, region: str) -> int:
    before = Read.files
    session: Any = boto3.Session  # the stubs know literal names of services only
    client = session(**KEYS, region_name=region).client(service, endpoint_url="http://127.0.0.1:1")
    assert client.meta.region_name == region
    return Read.files - before


def test_a_client_of_a_prepared_service_reads_no_file(clients: Any, counted: None) -> None:
    def reads() -> int:
        clients.make_clients_cheap(["sqs"])
        return files_read("sqs", "eu-west-1")

    assert files_read("sqs", "eu-west-1") > 0
    assert in_fork(reads) == 0


def test_another_service_is_read_once(clients: Any, counted: None) -> None:
    def reads() -> int:
        clients.make_clients_cheap(["sqs"])
        first = files_read("sns", "eu-west-1")
        return 10 * (first > 0) + files_read("sns", "us-west-2")

    assert in_fork(reads) == 10


class Outer:
    """An operator whose task runs another one."""

    def execute(self) -> str:
        return Inner().execute()


class Inner:
    """An operator. It returns the user agent of its hook's client."""

    def execute(self) -> str:
        hook: Any = importlib.import_module("airflow.providers.amazon.aws.hooks.base_aws").AwsBaseHook
        made = hook(aws_conn_id=None, client_type="sqs", region_name="eu-west-1")
        return str(made.conn.meta.config.user_agent_extra)


def test_a_hooks_user_agent_names_the_same_caller_without_a_look_at_sources(
    clients: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says_the_same() -> int:
        before = Outer().execute()
        clients.make_clients_cheap([])
        monkeypatch.setattr("inspect.stack", lambda: [][1])
        return int("Caller/Inner " in before and Outer().execute() == before)

    assert in_fork(says_the_same) == 1


def test_without_such_a_caller_there_is_none(clients: Any) -> None:
    assert clients.class_of_caller("no_such_method") is None
