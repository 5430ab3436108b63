"""Makes clients of AWS cheap in tasks. Before, they were two thirds of the CPU time of a task's process.

Each session of boto3 reads the description of every service of which it makes a client, some megabytes of JSON, and a
task makes several. Here all sessions share one loader, which has read the descriptions before the workers are forked.

Each AWS hook looks through the call stack for the operator that has made it, for the user agent. Python's own way of
doing so reads the source file of each frame; here it finds the same name without. Where there is no operator, it would
look for an executor of AWS's, in the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from types import FrameType
from typing import Any

import boto3
import botocore.session

from infra.localcloud.service_descriptions import read_descriptions_without_documentation

# What tasks of every night use.
SERVICES = (
    "athena",
    "cloudwatch",
    "dynamodb",
    "ecs",
    "glue",
    "kinesis",
    "logs",
    "s3",
    "sagemaker",
    "secretsmanager",
    "sns",
    "ssm",
)
# A description does not depend on them. Without keys, a client would look for some, on the network too.
ANY = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}


def share_descriptions() -> None:
    """Has all sessions of this process, from now on, share what they read, which is without its texts for people."""
    read_descriptions_without_documentation()
    if not hasattr(botocore.session.create_loader, "cache_info"):
        botocore.session.create_loader = cache(botocore.session.create_loader)


def make_clients_cheap(services: Iterable[str] = SERVICES) -> None:
    """Shares descriptions, reads them for these services, and simplifies the search for the caller."""
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

    share_descriptions()
    session: Any = boto3.Session  # the stubs know literal names of services only
    for service in services:
        session(**ANY).client(service)
    hook: Any = AwsGenericHook
    hook._find_operator_class_name = staticmethod(class_of_caller)
    hook._find_executor_class_name = staticmethod(lambda: None)  # no executor here calls AWS


def class_of_caller(function: str) -> str | None:
    """The class of the object whose method of this name has called, however far up; None if there is none."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_name != function:
        frame = frame.f_back
    return type(frame.f_locals["self"]).__name__ if frame is not None else None
