"""Fixtures of the pipelines' tests."""

from tests.support.job_clouds import aws, cloud, on_cloud, server

__all__ = ["aws", "cloud", "on_cloud", "server"]
