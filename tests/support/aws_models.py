"""One reader of AWS's descriptions of its services for all boto3 sessions of a test process."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import botocore.session
import pytest


@pytest.fixture(scope="session", autouse=True)
def shared_aws_models() -> Iterator[None]:
    """Airflow makes a session for each hook, and a session reads the descriptions again: 0.1 s of CPU each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))
        yield
