"""moto's CloudFront, with resources that are a configuration, an id and an ETag: VPC origins and cache policies."""

from __future__ import annotations

import secrets
import string
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.cloudfront.models import CloudFrontBackend as MotoCloudFrontBackend

from infra.localcloud.actions import AwsError, Members
from infra.localcloud.install import Context

_LETTERS = string.ascii_uppercase + string.digits


class CloudFrontBackend(MotoCloudFrontBackend):
    """Distributions and what belongs to them, of one account."""

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.vpc_origins = KeptConfigurations("VpcOrigin", "vo_")
        self.cache_policies = KeptConfigurations("CachePolicy", "")


class KeptConfigurations:
    """Resources of one kind by id.

    Args:
        kind: The kind's name in the codes of errors.
        prefix: What ids begin with.
    """

    def __init__(self, kind: str, prefix: str) -> None:
        self.kind = kind
        self.prefix = prefix
        self.items: dict[str, Members] = {}

    def create(self, configuration: Members) -> Members:
        """Keeps a new configuration.

        Raises:
            AwsError: Another has its name (``…AlreadyExists``).
        """
        if any(one["configuration"]["Name"] == configuration["Name"] for one in self.items.values()):
            text = f"The {self.kind} {configuration['Name']} already exists."
            raise AwsError(f"{self.kind}AlreadyExists", text)
        now = datetime.now(UTC)
        name = self.prefix + "".join(secrets.choice(_LETTERS) for _ in range(22))
        self.items[name] = {"id": name, "created": now}
        return self._keep(name, configuration, now)

    def _keep(self, name: str, configuration: Members, now: datetime) -> Members:
        etag = "E" + "".join(secrets.choice(_LETTERS) for _ in range(13))
        self.items[name] |= {"configuration": configuration, "modified": now, "etag": etag}
        return self.items[name]

    def get(self, name: str) -> Members:
        """The resource with this id.

        Raises:
            AwsError: There is none (``NoSuch…``).
        """
        if name not in self.items:
            raise AwsError(f"NoSuch{self.kind}", f"The {self.kind} does not exist.")
        return self.items[name]

    def update(self, name: str, etag: str | None, configuration: Members) -> Members:
        """Replaces a configuration. Raises as :meth:`_current`."""
        self._current(name, etag)
        return self._keep(name, configuration, datetime.now(UTC))

    def delete(self, name: str, etag: str | None) -> Members:
        """Forgets a resource, and returns it. Raises as :meth:`_current`."""
        self._current(name, etag)
        return self.items.pop(name)

    def _current(self, name: str, etag: Any) -> None:
        """Checks that a change is based on the present configuration.

        Raises:
            AwsError: There is no such resource, no ETag was given, or that of another configuration.
        """
        found = self.get(name)
        if not etag:
            raise AwsError("InvalidIfMatchVersion", "The If-Match version is missing or not valid for the resource.")
        if etag != found["etag"]:
            raise AwsError("PreconditionFailed", "The precondition in one or more of the request fields is false.")
