"""Fixtures of the plugins' tests."""

from tests.support.aws_models import shared_aws_models
from tests.support.kinesis_stream import stream
from tests.support.moto_cloud import cloud, moto_server
from tests.support.postgres_db import db, postgres_uri

__all__ = ["cloud", "db", "moto_server", "postgres_uri", "shared_aws_models", "stream"]
