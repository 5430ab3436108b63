"""Athena: Trino's SQL over the Glue catalog's tables in S3, run by DuckDB."""

from __future__ import annotations

from moto.athena.models import athena_backends
from moto.athena.responses import AthenaResponse

from ..install import Context, add_actions, replace_backend
from .models import AthenaBackend
from .responses import ACTIONS


def install(context: Context) -> None:
    """Puts the executing backend and its query actions into moto."""
    replace_backend(athena_backends, AthenaBackend, context)
    add_actions(AthenaResponse, *ACTIONS)
