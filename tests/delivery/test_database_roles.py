"""The statements run on a real PostgreSQL; only the Data API and Secrets Manager are stand-ins."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError
from psycopg.conninfo import make_conninfo

from infra.delivery.command import DeliveryError
from infra.delivery.database_roles import Source, apply, ensure_role
from infra.delivery.scram import verifier
from tests.support.postgres_db import postgres_uri

__all__ = ["postgres_uri"]
pytestmark = pytest.mark.stack
LOGIN = {"username": "nightjar_rides", "host": "h"}
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:nightjar/rides/database"


class DataApi:
    """RDS's Data API on a local server."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.statements: list[str] = []

    def execute_statement(self, sql: str, parameters: list[dict[str, Any]], **_: str) -> dict[str, Any]:
        self.statements.append(sql)
        values = {parameter["name"]: parameter["value"]["stringValue"] for parameter in parameters}
        with psycopg.connect(self.uri, autocommit=True) as connection:
            cursor = connection.execute(re.sub(r":(\w+)", r"%(\1)s", sql) if values else sql, values or None)
            return {"records": cursor.fetchall()} if cursor.description else {}


class Secrets:
    """One secret, which has no value at first."""

    def __init__(self, content: dict[str, Any] | None = None) -> None:
        self.content = content or {}
        self.made = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        if not self.content:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": json.dumps(self.content)}

    def put_secret_value(self, SecretId: str, SecretString: str) -> None:  # noqa: N803
        self.content = json.loads(SecretString)

    def get_random_password(self, PasswordLength: int, ExcludePunctuation: bool) -> dict[str, str]:  # noqa: N803
        self.made += 1
        return {"RandomPassword": f"Password{self.made}" * 5}


@pytest.fixture
def api(postgres_uri: str) -> DataApi:
    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute('DROP SCHEMA IF EXISTS "rides" CASCADE')
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'nightjar_rides'").fetchone():
            connection.execute("DROP OWNED BY nightjar_rides; DROP ROLE nightjar_rides")
        ask_for_password(connection)
    return DataApi(postgres_uri)


def ask_for_password(connection: psycopg.Connection[Any]) -> None:
    """The embedded server trusts everybody; this one user has to show that it knows its password."""
    shown = connection.execute("SHOW hba_file").fetchone()
    assert shown
    path = shown[0]
    rules = Path(path).read_text()
    wanted = "local all nightjar_rides scram-sha-256\nhost all nightjar_rides all scram-sha-256\n"
    if not rules.startswith(wanted):
        Path(path).write_text(wanted + rules)
        connection.execute("SELECT pg_reload_conf()")


def source(api: DataApi) -> Source:
    return Source(api, "cluster", "admin", "postgres")


def signed_in(api: DataApi, secrets: Secrets) -> psycopg.Connection[Any]:
    """A connection with the secret's password, which the server verifies."""
    user, password = secrets.content["username"], secrets.content["password"]
    return psycopg.connect(make_conninfo(api.uri, user=user, password=password), autocommit=True)


def test_a_workload_gets_a_role_that_reads_its_schema_and_nothing_else(api: DataApi) -> None:
    secrets = Secrets()
    assert ensure_role(source(api), secrets, "rides", ARN, LOGIN, renew=False)
    assert secrets.content == {"username": "nightjar_rides", "host": "h", "password": "Password1" * 5}
    with psycopg.connect(api.uri, autocommit=True) as admin:
        admin.execute("CREATE TABLE rides.weather AS SELECT 1 AS temp; CREATE SCHEMA IF NOT EXISTS other")
        admin.execute("CREATE TABLE IF NOT EXISTS other.secret (id int)")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        signed_in(api, Secrets({**secrets.content, "password": "wrong"}))
    with signed_in(api, secrets) as connection:
        assert connection.execute("SELECT temp FROM weather").fetchall() == [(1,)]  # found without its schema
        for denied in ("INSERT INTO weather VALUES (2)", "SELECT * FROM other.secret", "CREATE TABLE mine (id int)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(denied)


def test_the_password_is_in_no_statement(api: DataApi) -> None:
    secrets = Secrets()
    ensure_role(source(api), secrets, "rides", ARN, LOGIN, renew=False)
    assert [statement for statement in api.statements if secrets.content["password"] in statement] == []


def test_a_role_that_has_its_password_is_left_alone_and_renewed_on_request(api: DataApi) -> None:
    secrets = Secrets()
    ensure_role(source(api), secrets, "rides", ARN, LOGIN, renew=False)
    first = dict(secrets.content)
    assert not ensure_role(source(api), secrets, "rides", ARN, LOGIN, renew=False)
    assert secrets.content == first
    assert ensure_role(source(api), secrets, "rides", ARN, LOGIN, renew=True)
    assert secrets.content["password"] != first["password"]


def test_another_address_gets_into_the_secret_beside_the_password_that_is_there(api: DataApi) -> None:
    secrets = Secrets({**LOGIN, "password": "kept"})
    assert not ensure_role(source(api), secrets, "rides", ARN, {**LOGIN, "host": "restored"}, renew=False)
    assert secrets.content == {**LOGIN, "host": "restored", "password": "kept"}
    assert api.statements == []


def test_a_run_that_ended_before_the_secret_was_written_is_repaired(api: DataApi) -> None:
    ensure_role(source(api), Secrets(), "rides", ARN, LOGIN, renew=False)
    again = Secrets()
    again.made = 1
    assert ensure_role(source(api), again, "rides", ARN, LOGIN, renew=False)
    signed_in(api, again).close()


def test_what_postgres_keeps_verifies_the_password_only(api: DataApi) -> None:
    with psycopg.connect(api.uri, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE nightjar_rides LOGIN PASSWORD '{verifier('right')}'")
        kept = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'nightjar_rides'").fetchall()
    assert len(kept) == 1 and kept[0][0].startswith("SCRAM-SHA-256$4096:") and "right" not in kept[0][0]


def test_outputs_of_something_else_are_refused() -> None:
    with pytest.raises(DeliveryError, match="terraform output -json"):
        apply({"vpc_id": {"value": "vpc-1"}}, account=None, renew=False)  # type: ignore[arg-type]


def test_an_environment_without_a_source_has_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    outputs = {"database": {"value": None}, "database_secret_arns": {"value": {}}}
    apply(outputs, account=None, renew=False)  # type: ignore[arg-type]
    assert "no relational source" in capsys.readouterr().out
