"""Connections to PostgreSQL: secrets, poolers, TLS."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import psycopg
import pytest
from nightjar.tables.connection import connect, default_sslmode
from nightjar.tables.snapshot import snapshot

from tests.support.certificates import certificate
from tests.support.moto_cloud import MotoCloud
from tests.support.postgres_db import PASSWORD, SECRET
from tests.support.postgres_front import pooler

pytestmark = pytest.mark.stack


def change_secret(cloud: MotoCloud, **changes: Any) -> None:
    client = cloud.client("secretsmanager")
    secret = json.loads(client.get_secret_value(SecretId=SECRET)["SecretString"])
    client.put_secret_value(SecretId=SECRET, SecretString=json.dumps({**secret, **changes}))


def server(db: Any) -> str:
    """The server's Unix socket."""
    return f"{db.info.host}/.s.PGSQL.{db.info.port}"


def test_a_pooler_accepts_the_connection(db: Any, cloud: MotoCloud) -> None:
    with pooler(server(db)) as port:
        change_secret(cloud, host="127.0.0.1", port=port)
        with snapshot(SECRET) as source:
            assert source.connection.execute("SHOW timezone").fetchone() == ("UTC",)
            assert source.connection.prepare_threshold is None
        with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter: options"):
            psycopg.connect(host="127.0.0.1", port=port, user="u", dbname="d", options="-c timezone=UTC")


def test_a_pooler_keeps_no_setting_for_the_next_client(db: Any) -> None:
    names = ("timezone", "datestyle", "extra_float_digits", "transaction_isolation")
    before = [db.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in names]
    with snapshot(SECRET) as source:
        source.connection.rollback()
        source.connection.autocommit = True
        assert [source.connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in names] == before


def test_the_secret_decides_on_tls(db: Any, cloud: MotoCloud, tmp_path: Path) -> None:
    files = (tmp_path / "certificate.pem", tmp_path / "key.pem")
    pem, key = certificate("localhost")
    other, _ = certificate("localhost")
    for file, content in zip(files, (pem, key), strict=True):
        file.write_bytes(content)
    with pooler(server(db)) as port:
        change_secret(cloud, host="localhost", port=port, sslmode="require")
        with pytest.raises(psycopg.OperationalError, match="does not support SSL"), connect(SECRET):
            pass
    with pooler(server(db), files) as port:
        for trusted in (pem.decode(), str(files[0])):
            change_secret(cloud, host="localhost", port=port, sslmode="verify-full", sslrootcert=trusted)
            with connect(SECRET) as connection:
                assert connection.pgconn.ssl_in_use
        change_secret(cloud, sslrootcert=other.decode())
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"), connect(SECRET):
            pass


@pytest.mark.parametrize(
    ("secret", "sslmode"),
    [
        ({"host": "db.example.org"}, "require"),
        ({"host": "10.0.0.1"}, "require"),
        ({"host": "db.example.org", "sslrootcert": "/ca.pem"}, "verify-full"),
        ({"host": "127.0.0.1", "sslrootcert": "/ca.pem"}, "verify-full"),
        ({"host": "127.0.0.1"}, "prefer"),
        ({"host": "::1"}, "prefer"),
        ({"host": "/var/run/postgresql"}, "prefer"),
    ],
)
def test_without_a_word_on_tls_nothing_leaves_the_machine_in_the_open(secret: dict[str, str], sslmode: str) -> None:
    assert default_sslmode(secret) == sslmode


def test_a_root_certificate_alone_verifies_the_server(db: Any, cloud: MotoCloud, tmp_path: Path) -> None:
    files = (tmp_path / "certificate.pem", tmp_path / "key.pem")
    for file, content in zip(files, certificate("localhost"), strict=True):
        file.write_bytes(content)
    other, _ = certificate("localhost")
    with pooler(server(db), files) as port:
        change_secret(cloud, host="localhost", port=port, sslrootcert=files[0].read_text())
        with connect(SECRET) as connection:
            assert connection.pgconn.ssl_in_use
        change_secret(cloud, sslrootcert=other.decode())
        with pytest.raises(psycopg.OperationalError, match="certificate verify failed"), connect(SECRET):
            pass


def test_the_password_is_in_no_log_and_no_error(db: Any, cloud: MotoCloud, caplog: pytest.LogCaptureFixture) -> None:
    change_secret(cloud, host="127.0.0.1", port=1, password=PASSWORD)
    with caplog.at_level(logging.DEBUG), pytest.raises(psycopg.OperationalError) as caught, connect(SECRET):
        pass
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in "\n".join(
        r.getMessage() for r in caplog.records if r.name.startswith(("nightjar", "airflow.task", "psycopg"))
    )


def test_a_secret_that_lacks_a_field_names_it(cloud: MotoCloud) -> None:
    cloud.client("secretsmanager").create_secret(Name=SECRET, SecretString='{"host": "h"}')
    with pytest.raises(ValueError, match="lacks port, dbname, username, password"), connect(SECRET):
        pass
