"""Finds the service and operation of a request in botocore's models."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from wsgiref.types import WSGIEnvironment

from moto.core.model import OperationModel
from moto.core.request import Request
from moto.core.routing import NotFound, get_service_router
from moto.core.utils import get_service_model

from infra.localcloud.operations.table import Service, services
from infra.localcloud.request import S3_CONTROL, form_members

# Names in IAM policies that are neither the name in the signature nor botocore's.
_IAM_NAMES = {"resourcegroupstaggingapi": "tag"}


@cache
def _by_signing_name() -> Mapping[str, tuple[Service, ...]]:
    found: dict[str, list[Service]] = defaultdict(list)
    for service in services().values():
        for name in {service.signing_name, service.name, _IAM_NAMES.get(service.name, service.name)}:
            found[name].append(service)
    return {name: tuple(candidates) for name, candidates in found.items()}


def candidates(signing_name: str) -> tuple[Service, ...]:
    """The services whose name in the signature, in botocore or in IAM policies this is; empty if moto lacks it."""
    return _by_signing_name().get(signing_name, ())


def route(environ: WSGIEnvironment, signing_name: str, action: str) -> tuple[Service | None, OperationModel | None]:
    """Finds the service and the operation of a request. Its body stays readable.

    Args:
        environ: The request's WSGI environment.
        signing_name: The service's name in the signature.
        action: The operation's name if it was found already, so that the path is not matched again.

    Returns:
        None in place of the service if moto has no such service; None in place of the operation if AWS has no such
        operation.
    """
    found = candidates(signing_name)
    if not found:
        return None, None
    if target := environ.get("HTTP_X_AMZ_TARGET", ""):
        prefix, _, name = target.rpartition(".")
        # Some SDKs (Go's among them) leave out the package in front of CloudTrail's prefix.
        service = next((one for one in found if prefix in (one.target_prefix, _last(one.target_prefix))), None)
        # Without a service of that prefix the name is no operation of the first one either.
        return service or found[0], _operation(service.name, name) if service else None
    # Only services of the query protocol have a version here; to S3 a form may be an object.
    if any(one.version for one in found) and (form := form_members(environ)).get("Action"):
        version = form.get("Version", [""])[0]
        service = next((one for one in found if one.version == version), found[0])
        return service, _operation(service.name, form["Action"][0])
    if environ.get("PATH_INFO", "").startswith(S3_CONTROL):
        # To S3 itself the path would be a bucket's.
        found = tuple(service for service in found if service.name == "s3control") or found
    elif (found[0].name == "s3" or len(found) == 1) and (operation := _operation(found[0].name, action)):
        return found[0], operation
    for service in found:
        if operation := _match(service.name, environ):
            return service, operation
    return found[0], None


def _last(prefix: str | None) -> str | None:
    return prefix.rpartition(".")[2] if prefix else None


@cache
def _names(service: str) -> frozenset[str]:
    return frozenset(get_service_model(service).operation_names)


def _operation(service: str, name: str) -> OperationModel | None:
    return get_service_model(service).operation_model(name) if name in _names(service) else None


def _match(service: str, environ: WSGIEnvironment) -> OperationModel | None:
    try:
        operation, _ = get_service_router(service).match(Request({**environ, "wsgi.input": io.BytesIO()}))
    except (NotFound, NotImplementedError):
        return None
    return operation
