"""Fixtures of the DAGs' tests."""

from tests.support.aws_models import shared_aws_models
from tests.support.build_stamps import build_stamp
from tests.support.moto_cloud import cloud, moto_server
from tests.support.postgres_db import db, postgres_uri

__all__ = ["build_stamp", "cloud", "db", "moto_server", "postgres_uri", "shared_aws_models"]
