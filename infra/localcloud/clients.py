"""boto3 clients with which the server acts for a role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config as ClientConfig


# Any: the type of a client depends on the service.
def role_client(credentials: Mapping[str, str], service: str) -> Any:
    """A client of this endpoint. Its requests are signed with the role's keys, so they are recorded under the role.

    It has a session of its own, because boto3's default session is not safe under threads.

    Args:
        credentials: What ``RoleIdentity.mint`` returned.
        service: boto3's name of the service.
    """
    make: Any = boto3.session.Session().client
    return make(
        service,
        endpoint_url=credentials["AWS_ENDPOINT_URL"],
        region_name=credentials["AWS_REGION"],
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
        config=ClientConfig(s3={"addressing_style": "path"}),
    )
