"""Fixtures of the pipelines' tests."""

from tests.support.aws_models import shared_aws_models
from tests.support.job_clouds import aws, cloud, on_cloud, server

__all__ = ["aws", "cloud", "on_cloud", "server", "shared_aws_models"]
