"""Sessions of boto3 that share what they read of AWS's services."""

from __future__ import annotations

from functools import cache

import boto3
import botocore.session
from botocore.loaders import Loader, create_loader


@cache
def _descriptions() -> Loader:
    return create_loader()


def session() -> boto3.Session:
    """Makes a session, with credentials of its own.

    Each session of boto3 would read 8 MB for itself. Here they are read once, by the supervisor, and its workers have
    them by fork.
    """
    own = botocore.session.Session()
    own.register_component("data_loader", _descriptions())
    return boto3.Session(botocore_session=own)
