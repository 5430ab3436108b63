"""Signs in to ElastiCache with the task's role: a token instead of a password, so no secret has to be kept or rotated.

A token is a request to ``elasticache:Connect`` that is signed and not sent. It is valid for 15 minutes, so every
connection gets its own. ElastiCache ends a connection after twelve hours; ``serving.redis_cache`` then connects again.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import boto3
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from redis.credentials import CredentialProvider

VALID_SECONDS = 900  # the longest that ElastiCache accepts


class ElasticacheIam(CredentialProvider):
    """User name and token for a new connection.

    Args:
        cache: Name of the replication group.
        user: User of the cache; its id and its name are the same.
    """

    def __init__(self, cache: str, user: str) -> None:
        self._cache = cache
        self._user = user
        self._session = boto3.Session()

    def get_credentials(self) -> tuple[str, str]:
        """Returns the user and a new token.

        Raises:
            RuntimeError: The process has no AWS credentials or no region.
        """
        credentials, region = self._session.get_credentials(), self._session.region_name
        if credentials is None or region is None:
            raise RuntimeError("The cache needs AWS credentials and a region: give the task a role and AWS_REGION")
        query = urlencode({"Action": "connect", "User": self._user})
        request = AWSRequest("GET", f"http://{self._cache}/?{query}")
        SigV4QueryAuth(credentials.get_frozen_credentials(), "elasticache", region, expires=VALID_SECONDS).add_auth(
            request
        )
        return self._user, str(request.url).removeprefix("http://")

    async def get_credentials_async(self) -> tuple[str, str]:
        """The same in a thread, because expired credentials of the role are fetched over the network."""
        return await asyncio.to_thread(self.get_credentials)
