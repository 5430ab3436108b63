"""Fixtures of the job operators' tests: moto's server with settable job states, and the local cloud with two images."""

from tests.support.job_clouds import aws, cloud, on_cloud, sagemaker, server

__all__ = ["aws", "cloud", "on_cloud", "sagemaker", "server"]
