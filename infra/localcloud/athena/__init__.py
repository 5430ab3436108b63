"""Athena: Trino's SQL over the tables of the Glue catalog in S3, executed by DuckDB.

The path of a query: ``responses`` → ``models`` (threads, tokens) → ``execution`` (one statement) → ``planning`` (the
query's tables; ``translator`` to DuckDB's SQL; ``sources`` for their files) → ``results``, or ``writing`` for UNLOAD,
CREATE TABLE AS and INSERT. ``ddl``, ``create_table`` and ``show`` execute Hive's statements on the catalog.
"""

from __future__ import annotations

from moto.athena.models import athena_backends
from moto.athena.responses import AthenaResponse

from infra.localcloud.athena.models import AthenaBackend
from infra.localcloud.athena.responses import ACTIONS
from infra.localcloud.install import Context, add_actions, replace_backend


def install(context: Context) -> None:
    """Puts the executing backend and its query actions into moto."""
    replace_backend(athena_backends, AthenaBackend, context)
    add_actions(AthenaResponse, *ACTIONS)
