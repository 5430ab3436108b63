"""Kinesis: moto's, with shards that keep their records and end for their readers when they are split or merged."""

from __future__ import annotations

from moto.kinesis.models import kinesis_backends
from moto.kinesis.responses import KinesisResponse

from infra.localcloud.install import Context, add_actions, replace_backend
from infra.localcloud.kinesis.models import KinesisBackend
from infra.localcloud.kinesis.responses import create_stream, get_records, list_shards, put_records


def install(context: Context) -> None:
    """Puts this backend and its faster actions into moto."""
    replace_backend(kinesis_backends, KinesisBackend, context)
    add_actions(KinesisResponse, create_stream, get_records, list_shards, put_records)
