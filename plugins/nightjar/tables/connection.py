"""Connections to PostgreSQL with the data of a secret, also through PgBouncer and RDS Proxy, and with TLS."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psycopg
from airflow.providers.amazon.aws.hooks.secrets_manager import SecretsManagerHook
from airflow.sdk.log import mask_secret

CONNECT_SECONDS = 15
SECRET_FIELDS = ("host", "port", "dbname", "username", "password")
# Optional fields, with libpq's names. A certificate or key may be a path, or the PEM text itself.
TLS_FIELDS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
PEM = "-----BEGIN"


@contextmanager
def connect(secret_name: str) -> Iterator[psycopg.Connection[Any]]:
    """Connects in autocommit mode, and closes the connection at the end. Password and key are never logged.

    A pooler refuses the start-up parameter ``options`` and hands a server connection to the next client with the
    settings and prepared statements of the last one. So nothing is set before the first transaction, and nothing is
    prepared.

    Args:
        secret_name: Secrets Manager secret: a JSON object with the fields of ``SECRET_FIELDS``, and any of
            ``TLS_FIELDS``.

    Raises:
        ValueError: The secret lacks a field.
    """
    secret = SecretsManagerHook(aws_conn_id=None).get_secret_as_dict(secret_name)
    missing = [field for field in SECRET_FIELDS if field not in secret]
    if missing:
        raise ValueError(
            f"Secret {secret_name} lacks {', '.join(missing)}. It must contain {', '.join(SECRET_FIELDS)}."
        )
    mask_secret(secret["password"])
    if PEM in str(secret.get("sslkey")):
        mask_secret(secret["sslkey"])
    with _tls_options({**secret, "sslmode": secret.get("sslmode") or default_sslmode(secret)}) as tls:
        connection = psycopg.connect(
            host=secret["host"],
            port=secret["port"],
            dbname=secret["dbname"],
            user=secret["username"],
            password=secret["password"],
            connect_timeout=CONNECT_SECONDS,
            application_name="nightjar",
            autocommit=True,
            prepare_threshold=None,
            **tls,
        )
    with connection:
        yield connection


def default_sslmode(secret: Mapping[str, Any]) -> str:
    """Returns the ``sslmode`` of a secret that has none: libpq's own default falls back to an open connection.

    With a root certificate the server is verified; without one, the connection is encrypted at least, unless it does
    not leave this machine.
    """
    if secret.get("sslrootcert"):
        return "verify-full"
    return "prefer" if _is_here(str(secret["host"])) else "require"


def _is_here(host: str) -> bool:
    """Whether a host is this machine: a Unix socket's folder, or a loopback address."""
    if host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def _tls_options(secret: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields libpq's TLS options. It reads certificates from files, and only while it connects."""
    with ExitStack() as stack:
        options: dict[str, Any] = {}
        for name in TLS_FIELDS:
            if not secret.get(name):
                continue
            options[name] = str(secret[name])
            if PEM in options[name]:
                file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightjar-tls-"))) / name
                file.touch(mode=0o600)  # libpq refuses a key that others can read
                file.write_text(secret[name], encoding="ascii")
                options[name] = str(file)
        yield options
