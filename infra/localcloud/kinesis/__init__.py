"""Kinesis: moto's, with shards that close, keep their records and tell their readers so."""

from __future__ import annotations

from moto.kinesis.models import kinesis_backends
from moto.kinesis.responses import KinesisResponse

from ..install import Context, add_actions, replace_backend
from .models import KinesisBackend
from .responses import get_records, list_shards, put_records


def install(context: Context) -> None:
    """Puts this backend and its quicker actions into moto."""
    replace_backend(kinesis_backends, KinesisBackend, context)
    add_actions(KinesisResponse, get_records, list_shards, put_records)
