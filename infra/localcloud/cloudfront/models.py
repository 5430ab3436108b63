"""moto's CloudFront, with resources that are a configuration, an id and an ETag: VPC origins and cache policies."""

from __future__ import annotations

import secrets
import string
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.cloudfront.models import CloudFrontBackend as MotoCloudFrontBackend
from moto.cloudfront.models import Distribution

from infra.localcloud.actions import AwsError, Members
from infra.localcloud.cloudfront.distributions import completed
from infra.localcloud.install import Context

_LETTERS = string.ascii_uppercase + string.digits


def new_etag() -> str:
    """An ETag of a new configuration."""
    return "E" + "".join(secrets.choice(_LETTERS) for _ in range(13))


class CloudFrontBackend(MotoCloudFrontBackend):
    """Distributions and what belongs to them, of one account."""

    context: ClassVar[Context]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.vpc_origins = KeptConfigurations("vo_", "EntityNotFound", "EntityAlreadyExists")
        self.cache_policies = KeptConfigurations("", "NoSuchCachePolicy", "CachePolicyAlreadyExists")

    def create_distribution_with_tags(
        self, distribution_config: dict[str, Any], tags: list[dict[str, str]]
    ) -> tuple[Distribution, str, str]:
        """CreateDistribution and CreateDistributionWithTags. It is described as it was given."""
        given = completed(distribution_config)
        made, location, etag = super().create_distribution_with_tags(deepcopy(distribution_config), tags)
        made.distribution_config = given  # type: ignore[assignment]  # in place of moto's object
        return made, location, etag

    def update_distribution(
        self, dist_config: dict[str, Any], _id: str, if_match: bool
    ) -> tuple[Distribution, str, str]:
        """UpdateDistribution.

        Raises:
            AwsError: The change is not based on the present configuration (PreconditionFailed).
        """
        known = self.distributions.get(_id)
        if known and if_match and str(if_match) != known.etag:
            raise AwsError("PreconditionFailed", "The precondition in one or more of the request fields is false.")
        given = completed(dist_config)
        changed, location, _ = super().update_distribution(deepcopy(dist_config), _id, if_match)
        changed.distribution_config = given  # type: ignore[assignment]  # in place of moto's object
        changed.etag = new_etag()
        return changed, location, changed.etag


class KeptConfigurations:
    """Resources of one kind by id.

    Args:
        prefix: What ids begin with.
        missing: The code of the error if there is no resource of an id.
        existing: The code of the error if another has the name.
    """

    def __init__(self, prefix: str, missing: str, existing: str) -> None:
        self.prefix = prefix
        self.missing = missing
        self.existing = existing
        self.items: dict[str, Members] = {}

    def create(self, configuration: Members) -> Members:
        """Keeps a new configuration.

        Raises:
            AwsError: Another has its name.
        """
        if any(one["configuration"]["Name"] == configuration["Name"] for one in self.items.values()):
            raise AwsError(self.existing, f"The name {configuration['Name']} is in use already.")
        now = datetime.now(UTC)
        name = self.prefix + "".join(secrets.choice(_LETTERS) for _ in range(22))
        self.items[name] = {"id": name, "created": now}
        return self._keep(name, configuration, now)

    def _keep(self, name: str, configuration: Members, now: datetime) -> Members:
        self.items[name] |= {"configuration": configuration, "modified": now, "etag": new_etag()}
        return self.items[name]

    def get(self, name: str) -> Members:
        """The resource with this id.

        Raises:
            AwsError: There is none.
        """
        if name not in self.items:
            raise AwsError(self.missing, f"There is no resource {name}.")
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
