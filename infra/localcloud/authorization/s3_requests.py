"""S3's requests in IAM's terms: actions differ by version, headers and bodies, and a copy asks for its source too."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote
from wsgiref.types import WSGIEnvironment
from xml.etree import ElementTree

import yaml

from infra.localcloud.authorization.catalog import FOLDER
from infra.localcloud.authorization.tables import service

# What else a header asks for: of an object, and of a bucket.
_OBJECT_HEADERS = {
    "TAGGING": "PutObjectTagging",
    "ACL": "PutObjectAcl",
    "OBJECT_LOCK_MODE": "PutObjectRetention",
    "OBJECT_LOCK_LEGAL_HOLD": "PutObjectLegalHold",
}
_BUCKET_HEADERS = {"ACL": "PutBucketAcl", "BUCKET_OBJECT_LOCK_ENABLED": "PutBucketObjectLockConfiguration"}
_STARTS = ("PutObject", "CopyObject", "CreateMultipartUpload")
# Whether an action that asks for s3:PutObject creates the object: the value of s3:ObjectCreationOperation.
_CREATES = {
    **dict.fromkeys(("PutObject", "CopyObject", "CompleteMultipartUpload"), "true"),
    **dict.fromkeys(("CreateMultipartUpload", "UploadPart", "UploadPartCopy"), "false"),
}
_BYPASSING = ("DeleteObject", "DeleteObjects", "PutObjectRetention")


@dataclass(frozen=True)
class S3Request:
    """One request of S3.

    Attributes:
        operation: The API action.
        bucket: Empty for ListBuckets.
        key: Empty for requests of a bucket.
    """

    operation: str
    bucket: str
    key: str
    environ: WSGIEnvironment
    region: str
    account: str

    @property
    def query(self) -> dict[str, list[str]]:
        """The query parameters."""
        return parse_qs(self.environ.get("QUERY_STRING", ""), keep_blank_values=True)

    def header(self, name: str) -> str:
        """The value of the header ``x-amz-…``, given by the rest of its name as in WSGI."""
        return str(self.environ.get(f"HTTP_X_AMZ_{name}", ""))


@cache
def _actions() -> Mapping[str, Mapping[str, Any]]:
    values: dict[str, Any] = yaml.safe_load((FOLDER / "s3-actions.yaml").read_text())
    actions: Mapping[str, Mapping[str, Any]] = values["actions"]
    return actions


def asks(request: S3Request) -> list[tuple[str, str]]:
    """The IAM actions of a request, each with its resource.

    An operation that S3 does not have asks for nothing, and is then refused.
    """
    entry = _actions().get(request.operation)
    if entry is None:
        action = service("s3").actions.get(request.operation.lower())
        return [(f"s3:{action.name}", _arn(request.bucket))] if action else []
    if "account" in entry:
        return [(f"s3:{entry['account']}", "*")]
    if "bucket" in entry:
        extra = _by_headers(request, _BUCKET_HEADERS) if request.operation == "CreateBucket" else []
        return [(f"s3:{name}", _arn(request.bucket)) for name in [entry["bucket"], *extra]]
    found = list(_deletions(request, entry) if "keys" in entry else _of_object(request, entry))
    if request.operation in _BYPASSING and request.header("BYPASS_GOVERNANCE_RETENTION").lower() == "true":
        found += [("s3:BypassGovernanceRetention", arn) for arn in dict.fromkeys(arn for _, arn in found)]
    return found


def creates_object(request: S3Request) -> str | None:
    """The value of s3:ObjectCreationOperation; None for a request that writes no object."""
    return _CREATES.get(request.operation)


def _arn(bucket: str, key: str | None = None) -> str:
    return f"arn:aws:s3:::{bucket}" if key is None else f"arn:aws:s3:::{bucket}/{key}"


def _by_headers(request: S3Request, names: Mapping[str, str]) -> list[str]:
    found = [action for name, action in names.items() if request.header(name)]
    if any(name.startswith("HTTP_X_AMZ_GRANT_") for name in request.environ):
        found.append(names["ACL"])
    return list(dict.fromkeys(found))


def _of_object(request: S3Request, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    versioned = "version" in entry and "versionId" in request.query
    names = entry["version" if versioned else "object"]
    for name in names if isinstance(names, list) else [names]:
        yield f"s3:{name}", _arn(request.bucket, request.key)
    if request.operation in _STARTS:
        for name in _by_headers(request, _OBJECT_HEADERS):
            yield f"s3:{name}", _arn(request.bucket, request.key)
    if source := request.header("COPY_SOURCE"):
        path, _, query = source.partition("?")
        bucket, _, key = unquote(path).lstrip("/").partition("/")
        yield "s3:GetObjectVersion" if "versionId=" in query else "s3:GetObject", _arn(bucket, key)


def _deletions(request: S3Request, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    body = request.environ["wsgi.input"].read()
    request.environ["wsgi.input"] = io.BytesIO(body)
    if b"<!" in body:  # a document type or a comment; no client writes one, and entities could grow without bound
        return
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return
    for item in root.iterfind("{*}Object"):
        name = entry["version" if item.findtext("{*}VersionId") else "keys"]
        yield f"s3:{name}", _arn(request.bucket, item.findtext("{*}Key") or "")
