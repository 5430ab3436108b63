"""The operation that a request asks for. A sub-resource never falls through to its bucket or object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, urlsplit
from wsgiref.types import WSGIEnvironment

from infra.localcloud.s3 import shapes
from infra.localcloud.s3.errors import S3Error
from infra.localcloud.s3.request import target

# Operations that share their method and path with another, which the model names as well.
_SUPERSEDED = {
    "GetBucketLifecycle",
    "PutBucketLifecycle",
    "GetBucketNotification",
    "PutBucketNotification",
    "ListDirectoryBuckets",
    "WriteGetObjectResponse",
}
# With the header x-amz-copy-source, a put is a copy.
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
# Parameters of every request: signatures, headers of a presigned URL, and botocore's name of the operation.
_COMMON = {"x-id", "awsaccesskeyid", "signature", "expires", "content-type", "content-md5"}


@dataclass(frozen=True)
class _Route:
    name: str
    method: str
    level: str
    required: frozenset[str]
    allowed: frozenset[str]


@cache
def _routes() -> tuple[list[_Route], frozenset[str]]:
    """Every operation, and the names of all sub-resources."""
    routes = []
    subresources: set[str] = set()
    for name in shapes.service().operation_names:
        if name in _SUPERSEDED or name in _COPIES.values():
            continue
        model = shapes.operation(name)
        path = urlsplit(model.http["requestUri"])
        static = {parameter for parameter, _ in parse_qsl(path.query, keep_blank_values=True)}
        subresources |= static - {"list-type", "select-type"}
        level = {"/": "service", "/{Bucket}": "bucket"}.get(path.path, "key")
        members = model.input_shape.members if model.input_shape else {}
        needed = model.input_shape.required_members if model.input_shape else ()
        located = {
            member.serialization.get("name", key): key
            for key, member in members.items()
            if member.serialization.get("location") == "querystring"
        }
        required = {text for text, key in located.items() if key in needed}
        if name in ("ListParts", "UploadPart", "AbortMultipartUpload", "CompleteMultipartUpload"):
            subresources.add("uploadId")
        routes.append(_Route(name, model.http["method"], level, frozenset(static | required), frozenset(located)))
    return routes, frozenset(subresources)


def operation(environ: WSGIEnvironment) -> tuple[str, Mapping[str, str]]:
    """Names the operation of a request, with its bucket and key.

    Returns:
        The operation, ``Bucket`` and ``Key``; for a request that S3 refuses, the method and the path.
    """
    method = environ["REQUEST_METHOD"]
    try:
        asked = target(environ)
        return find(method, asked.level, asked.query, asked.headers), {"Bucket": asked.bucket, "Key": asked.key}
    except S3Error:
        return f"{method} {environ.get('PATH_INFO', '')}", {}


def find(method: str, level: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Names the operation of a request.

    A parameter that S3 does not know is ignored when it has a value and the request only reads, as S3 does. Otherwise
    it may be a sub-resource that is newer than this code, and the request is refused.

    Args:
        method: The HTTP method.
        level: ``service``, ``bucket`` or ``key``: what the path names.
        query: The query's parameters; one without a value has "".
        headers: The request's headers in lower case.

    Raises:
        S3Error: No operation has this method and these parameters.
    """
    routes, subresources = _routes()
    names = frozenset(query)
    fitting = [route for route in routes if route.method == method and route.level == level and route.required <= names]
    route = max(fitting, key=lambda route: len(route.required), default=None)
    unused = names - (route.required | route.allowed if route else frozenset())
    asked = unused & subresources
    if route is None or asked:
        resource = min(asked) if asked else level
        raise S3Error("MethodNotAllowed", ResourceType=resource.upper(), Method=method)
    unknown = [name for name in unused if not _common(name) and (method not in ("GET", "HEAD") or not query[name])]
    if unknown:
        raise S3Error(
            "NotImplemented",
            f"The local cloud did nothing: it does not know the query parameter {min(unknown)!r} of {route.name}",
        )
    return _COPIES.get(route.name, route.name) if "x-amz-copy-source" in headers else route.name


def _common(name: str) -> bool:
    lower = name.lower()
    return lower in _COMMON or lower.startswith(("x-amz-", "response-"))
