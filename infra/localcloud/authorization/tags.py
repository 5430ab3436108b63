"""The tags of resources, for the condition keys aws:ResourceTag/… and s3:ExistingObjectTag/…."""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend
from moto.utilities.tagging_service import TaggingService

from infra.localcloud.authorization.context import UnknownKeyError

_BACKENDS = {"elasticloadbalancing": "elbv2", "states": "stepfunctions", "airflow": "mwaa"}
_GLOBAL = ("iam", "s3")


def of_resource(arn: str) -> dict[str, str]:
    """The tags of a resource.

    Raises:
        UnknownKeyError: The service keeps its tags where this function does not look.
    """
    _, _, service, region, account, name = arn.split(":", 5)
    backends: Any = get_backend(_BACKENDS.get(service, service))  # type: ignore[call-overload]
    backend = backends[account or next(iter(backends))][region or ("aws" if service in _GLOBAL else "us-east-1")]
    short = name.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    taggers = [value for value in vars(backend).values() if isinstance(value, TaggingService)]
    for tagger in taggers:
        for key in (arn, short):
            if tagger.has_tags(key):
                return {str(tag): str(value) for tag, value in tagger.get_tag_dict_for_resource(key).items()}
    found = _entity(backend, arn, short)
    if found is not None:
        return _as_dict(getattr(found, "tags", None))
    if taggers:
        return {}
    raise UnknownKeyError(f"aws:ResourceTag of {service}")


def _entity(backend: Any, arn: str, short: str) -> Any:
    """An object of the backend with this ARN, wherever the backend keeps it."""
    for value in list(vars(backend).values()):
        if isinstance(value, dict):
            found = value.get(arn) or value.get(short)
            if found is not None and hasattr(found, "tags"):
                return found
            for item in list(value.values()):
                if getattr(item, "arn", None) == arn and hasattr(item, "tags"):
                    return item
    return None


def _as_dict(tags: Any) -> dict[str, str]:
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    pairs = [{name.lower(): value for name, value in tag.items()} for tag in tags or []]
    return {str(tag["key"]): str(tag.get("value", "")) for tag in pairs}
