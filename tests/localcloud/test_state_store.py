"""The store in this process: what is written, what is refused, and that a changed object alone is written again."""

from __future__ import annotations

import importlib
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from moto.core.base_backend import BackendDict, BaseBackend
from moto.ssm.models import ssm_backends

from infra.localcloud.config import Config, GlueSettings
from infra.localcloud.install import Context
from infra.localcloud.state import StateError, StateStore, UnstorableError, rules, shape
from infra.localcloud.state.database import Database
from infra.localcloud.state.elements import AppendedList, KeyedElements
from infra.localcloud.state.encoding import is_stored_object
from infra.localcloud.state.reads import is_read

ACCOUNT, REGION = "123456789012", "us-east-1"
Open = Callable[[], StateStore]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(state=tmp_path / "state", glue=GlueSettings(python=Path(sys.executable), jars=()))


@pytest.fixture
def open_store(config: Config) -> Iterator[Open]:
    """Opens the state as a new server does: moto's memory is empty."""
    opened: list[StateStore] = []

    def start() -> StateStore:
        for store in opened:
            store.close()
        opened.clear()
        BackendDict.reset()
        store = StateStore(config)
        opened.append(store)
        parts: Any = None
        store.restore(Context(config, parts, parts, store))
        return store

    yield start
    for store in opened:
        store.close()
    BackendDict.reset()


def parameters() -> Any:
    return ssm_backends[ACCOUNT][REGION]


def put(name: str, value: str) -> None:
    parameters().put_parameter(
        name=name, description="", value=value, parameter_type="String", allowed_pattern="", keyid="", overwrite=True,
        tags=[], data_type="text", tier=None, policies=None,
    )  # fmt: skip


def value(name: str) -> str:
    return str(parameters().get_parameter(name).value)


def rows(config: Config, statement: str) -> list[Any]:
    with closing(sqlite3.connect(config.state / "state.db")) as connection:
        return connection.execute(statement).fetchall()


def written(config: Config, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(config.state / "state.db")) as connection, connection:
        connection.execute(statement, values)


def test_only_the_objects_that_changed_are_written(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()
    for number in range(20):
        put(f"/p/{number}", "old")
    store.save(parameters())
    batches: list[Any] = []
    commit = Database.commit

    def count(database: Database, batch: Any) -> None:
        batches.extend(batch)
        commit(database, batch)

    monkeypatch.setattr(Database, "commit", count)
    store.save(parameters())
    assert batches == []
    put("/p/3", "new")
    store.save(parameters())
    assert 1 <= sum(len(changes.objects) for changes in batches) <= 3
    open_store()
    assert (value("/p/3"), value("/p/4")) == ("new", "old")


def test_a_deleted_object_is_deleted_from_the_file(open_store: Open, config: Config) -> None:
    store = open_store()
    put("/p/1", "v")
    store.save(parameters())
    parameters().delete_parameter("/p/1")
    store.save(parameters())
    store.close()
    assert not rows(config, "SELECT 1 FROM objects WHERE class LIKE '%:Parameter'")


def test_changes_of_many_threads_are_all_written(open_store: Open) -> None:
    store = open_store()
    store.save(parameters())

    def write(worker: int) -> None:
        for number in range(20):
            with lock:
                put(f"/p/{worker}-{number}", "v")
            store.save(parameters())

    lock = threading.Lock()
    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    open_store()
    assert [value(f"/p/{worker}-{number}") for worker in range(4) for number in range(20)] == ["v"] * 80


def test_a_save_waits_for_what_another_thread_found(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request may reach a service and find its change first; neither answer may go out before the commit."""
    store = open_store()
    store.save(parameters())
    commit, started, proceed = Database.commit, threading.Event(), threading.Event()

    def slow(database: Database, batch: Any) -> None:
        started.set()
        proceed.wait(30)
        commit(database, batch)

    monkeypatch.setattr(Database, "commit", slow)
    put("/p/1", "v")
    first = threading.Thread(target=store.save, args=(parameters(),))
    first.start()
    started.wait(30)
    second = threading.Thread(target=store.save, args=(parameters(),))  # finds nothing that is not found yet
    second.start()
    second.join(0.3)
    assert second.is_alive()
    proceed.set()
    first.join()
    second.join()
    open_store()
    assert value("/p/1") == "v"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE objects SET attributes = CAST('nothing' AS BLOB) WHERE number = 1",
        "UPDATE objects SET class = 'moto.ssm.models:NoSuchClass' WHERE class LIKE '%:Parameter'",
        "UPDATE objects SET class = 'os:system' WHERE class LIKE '%:Parameter'",
        "DELETE FROM objects WHERE class LIKE '%:Parameter'",
    ],
)
def test_a_damaged_row_is_refused_and_nothing_is_loaded(open_store: Open, config: Config, statement: str) -> None:
    store = open_store()
    put("/p/1", "v")
    store.save(parameters())
    store.close()
    written(config, statement)
    with pytest.raises(StateError, match=r"state\.db is damaged .* nothing of it was loaded.*make clean"):
        open_store()


def test_a_damaged_file_is_refused(open_store: Open, config: Config) -> None:
    store = open_store()
    for number in range(50):
        put(f"/p/{number}", "v" * 500)
    store.save(parameters())
    store.close()
    file = config.state / "state.db"
    content = bytearray(file.read_bytes())
    content[4096:12288] = os.urandom(8192)
    file.write_bytes(content)
    with pytest.raises(StateError, match="is damaged"):
        open_store()


@pytest.mark.parametrize(("name", "version"), [("schema", "0"), ("moto", "5.0.0"), ("shape", "other")])
def test_state_of_another_version_is_refused_with_what_to_do(
    open_store: Open, config: Config, name: str, version: str
) -> None:
    open_store().close()
    written(config, "UPDATE versions SET value = ? WHERE name = ?", version, name)
    with pytest.raises(StateError) as caught:
        StateStore(config)
    text = str(caught.value)
    assert f"{name} {version}" in text
    assert f"{name} {shape.versions()[name]}" in text
    assert str(config.state) in text
    assert "make clean" in text


def test_the_server_says_so_and_does_not_start(open_store: Open, config: Config, tmp_path: Path) -> None:
    open_store().close()
    written(config, "UPDATE versions SET value = '0' WHERE name = 'schema'")
    file = tmp_path / "cloud.yaml"
    file.write_text(f"state: {config.state}\nglue: {{python: {sys.executable}, jars: []}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "infra.localcloud", "--config", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"The state in {config.state} was written by")
    assert "Traceback" not in done.stderr


def test_two_servers_do_not_use_one_state(open_store: Open, config: Config) -> None:
    open_store()
    with pytest.raises(StateError, match="in use by another local cloud"):
        StateStore(config)


def test_the_file_is_for_its_owner_only(open_store: Open, config: Config) -> None:
    store = open_store()
    put("/p/1", "v")
    store.save(parameters())
    assert {path.stat().st_mode & 0o777 for path in config.state.glob("state.db*")} == {0o600}


def test_what_cannot_be_stored_is_named_and_written_once_it_can(open_store: Open) -> None:
    store = open_store()
    put("/p/1", "v")
    parameters().odd = threading.Event()
    with pytest.raises(UnstorableError, match=r"SimpleSystemManagerBackend.*Event"):
        store.save(parameters())
    del parameters().odd
    store.save(parameters())
    open_store()
    assert value("/p/1") == "v"


def test_a_full_disk_stops_further_writes(open_store: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store()

    def full(_database: Database, _batch: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Database, "commit", full)
    put("/p/1", "v")
    with pytest.raises(sqlite3.OperationalError):
        store.save(parameters())
    assert store.failure is not None
    assert "No further change is accepted" in store.failure


def test_a_background_change_is_on_disk_when_its_block_ends(open_store: Open) -> None:
    store = open_store()
    with store.background(parameters()):
        put("/p/1", "v")
    store.soon(parameters())
    put("/p/2", "v")
    store.before_answer([parameters()])
    open_store()
    assert (value("/p/1"), value("/p/2")) == ("v", "v")


class Holder:
    def __init__(self, values: Any) -> None:
        self.values = values


def test_a_list_is_written_from_where_it_grew() -> None:
    elements, holder = AppendedList("values"), Holder(["a", "b"])
    change, marker = elements.difference(holder, None)
    assert (change.clear, change.put) == (True, [(0, ["a", "b"])])
    holder.values.append("c")
    change, marker = elements.difference(holder, marker)
    assert (change.clear, change.put) == (False, [(2, ["c"])])
    assert not elements.difference(holder, marker)[0]
    del holder.values[0]
    change, marker = elements.difference(holder, marker)
    assert (change.clear, change.put) == (True, [(0, ["b", "c"])])
    holder.values.clear()
    change, marker = elements.difference(holder, marker)
    assert (change.clear, change.put, marker) == (True, [], None)


def test_keyed_elements_are_written_when_they_were_replaced() -> None:
    elements, holder = KeyedElements("values"), Holder({"a": ["1"], "b": ["2"]})
    _, marker = elements.difference(holder, None)
    holder.values["b"], holder.values["c"] = ["2"], ["3"]
    del holder.values["a"]
    change, marker = elements.difference(holder, marker)
    assert (change.put, change.delete) == ([("b", ["2"]), ("c", ["3"])], ["a"])
    assert not elements.difference(holder, marker)[0]


@pytest.mark.parametrize(
    ("service", "action", "read"),
    [
        ("s3", "GetObject", True),
        ("dynamodb", "TransactGetItems", True),
        ("glue", "BatchGetPartition", True),
        ("sts", "AssumeRole", False),
        ("sts", "GetSessionToken", False),
        ("sqs", "ReceiveMessage", False),
        ("dynamodb", "ExecuteStatement", False),
        ("iam", "GenerateCredentialReport", False),
    ],
)
def test_reads_are_told_from_writes(service: str, action: str, read: bool) -> None:
    assert is_read(service, action) is read


@pytest.mark.parametrize("name", sorted({*rules.CHANGED_BY, *rules.SEALED, *rules.NO_KEYS}))
def test_a_class_with_a_rule_of_its_own_is_stored_on_its_own(name: str) -> None:
    """The rule would be without effect for an object inside another's row: each write encoded 1,582 policies again."""
    module, _, kind = name.partition(":")
    assert is_stored_object(getattr(importlib.import_module(module), kind))


def test_every_backend_that_is_not_stored_exists_and_has_a_reason() -> None:
    for name, reason in rules.NOT_STORED.items():
        module, variable = name.split(":")
        assert isinstance(getattr(__import__(module, fromlist=["_"]), variable), BackendDict), name
        assert reason


def test_every_other_backend_of_moto_can_be_stored_and_loaded(open_store: Open) -> None:
    from moto import backend_index, backends

    store = open_store()
    saved: list[BaseBackend] = []
    for service in sorted({name for name, _ in backend_index.backend_url_patterns} - {"moto_api._internal"}):
        of_account = backends.get_backend(service)[ACCOUNT]  # type: ignore[call-overload]  # a name of moto's own list
        saved.append(of_account[REGION if REGION in of_account.regions else of_account.regions[0]])
    store.save(*saved)
    restored = open_store()
    stored = [backend for backend in saved if type(backend).__module__ != "moto.s3.models"]
    assert len(restored.backends) >= len(stored) - len(rules.NOT_STORED)
