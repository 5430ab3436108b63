"""AWS clients with which the server acts for a role."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config as ClientConfig
from botocore.loaders import Loader, create_loader


@cache
def _loader() -> Loader:
    return create_loader()


def make_client(service: str, **options: Any) -> Any:
    """A client with a session of its own, because a session is not safe under threads.

    All sessions share what is read of AWS's descriptions of its services: to read them takes five times as long as the
    rest of making a client.

    Args:
        service: botocore's name of the service.
        **options: As botocore's ``create_client`` takes them.
    """
    session = botocore.session.Session()
    session.register_component("data_loader", _loader())
    make: Any = session.create_client  # the stubs know literal names of services only
    return make(service, **options)


# Any: the type of a client depends on the service.
def role_client(credentials: Mapping[str, str], service: str) -> Any:
    """A client of this endpoint. Its requests are signed with the role's keys, so they are recorded under the role.

    Args:
        credentials: What ``RoleIdentity.mint`` returned.
        service: botocore's name of the service.
    """
    return make_client(
        service,
        endpoint_url=credentials["AWS_ENDPOINT_URL"],
        region_name=credentials["AWS_REGION"],
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
        config=ClientConfig(s3={"addressing_style": "path"}),
    )
