"""Fixtures of the ingest pipelines' tests."""

from tests.support.dropped_files import shop
from tests.support.kinesis_stream import stream
from tests.support.moto_cloud import cloud, moto_server
from tests.support.postgres_db import db, postgres_uri

__all__ = ["cloud", "db", "moto_server", "postgres_uri", "shop", "stream"]
