"""The calls with which AWS pulls an image from ECR, asked of the role that pulls it.

An image here is an interpreter, so nothing is pulled. A role that could not pull the image on AWS fails here too.
"""

from __future__ import annotations

import re

from infra.localcloud.identity import RoleIdentity

_ECR = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<repository>[^:@]+)")


def require_pull(identity: RoleIdentity, image: str, role_arn: str, session: str) -> None:
    """Checks that a role may pull an image; an image of another registry needs no permission.

    Raises:
        AccessDeniedError: It may not.
    """
    found = _ECR.match(image)
    if found:
        repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
        calls = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        identity.require(role_arn, session, ("ecr:GetAuthorizationToken", "*"), *((call, repository) for call in calls))
