"""The objects of tables in S3: lists them, fetches them in parallel, and keeps what was fetched on disk.

A kept object is never served without a request: each read is a GET with the caller's keys, with ``If-None-Match`` if
the object is kept. S3 checks the caller's permission and answers 304 only if the object is still the same one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.localcloud.athena.errors import QueryError

DOWNLOADS = 4
CACHE_BYTES = 2 * 1024**3
_CHUNK = 1 << 20


@dataclass(frozen=True)
class File:
    """One object of a table.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        size: Its size in bytes.
        etag: Its ETag, with quotes.
        modified: Its last modification in milliseconds since 1970.
    """

    bucket: str
    key: str
    size: int
    etag: str = ""
    modified: int = 0

    @property
    def uri(self) -> str:
        """Its S3 URI."""
        return f"s3://{self.bucket}/{self.key}"


class ObjectCache:
    """Fetched objects on disk, by bucket, key and ETag; the ones that were not used for longest are removed first."""

    def __init__(self, folder: Path, limit: int = CACHE_BYTES) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, bucket: str, key: str, etag: str) -> Path:
        """Returns the path at which this version of an object is kept, whether it is or not."""
        name = hashlib.sha256(f"{bucket}\0{key}\0{etag}".encode()).hexdigest()
        return self._folder / name[:2] / name

    def take(self, kept: Path, target: Path) -> bool:
        """Links a kept object to ``target``, where it stays readable even if it is evicted.

        Returns:
            False if the object is not kept.
        """
        try:
            os.link(kept, target)
            os.utime(kept)
        except FileNotFoundError:
            return False
        return True

    def put(self, kept: Path, chunks: Iterable[bytes]) -> None:
        """Keeps an object. A reader never sees a part of it."""
        kept.parent.mkdir(exist_ok=True)
        partial = kept.with_name(f"{kept.name}.{uuid.uuid4().hex}.part")
        try:
            with partial.open("wb") as body:
                for chunk in chunks:
                    body.write(chunk)
            partial.replace(kept)
        finally:
            partial.unlink(missing_ok=True)

    def evict(self) -> None:
        """Removes the objects that were not used for longest until the rest fits the limit."""
        with self._lock:
            kept = []
            for path in self._folder.glob("*/*"):
                with contextlib.suppress(FileNotFoundError):
                    found = path.stat()
                    kept.append((found.st_mtime, found.st_size, path))
            total = sum(size for _, size, _ in kept)
            for _, size, path in sorted(kept):
                if total <= self._limit:
                    return
                path.unlink(missing_ok=True)
                total -= size


class Fetcher:
    """Fetches objects with a caller's keys. Its requests are signed here, because boto3 takes ten times as long."""

    def __init__(self, options: Mapping[str, Any], cache: ObjectCache) -> None:
        self._endpoint = str(options["endpoint_url"]).rstrip("/")
        self._cache = cache
        credentials = Credentials(
            options["aws_access_key_id"], options["aws_secret_access_key"], options["aws_session_token"]
        )
        self._signer = S3SigV4Auth(credentials, "s3", options["region_name"])
        self._pool = urllib3.PoolManager(maxsize=DOWNLOADS * 2, retries=urllib3.Retry(2, redirect=False))

    def fetch(self, pairs: list[tuple[File, Path]], check: Callable[[], None]) -> None:
        """Makes each file readable at its path.

        Args:
            pairs: Each file and the local path at which it is wanted.
            check: Called before each request; may raise.

        Raises:
            QueryError: An object cannot be read with the caller's keys.
        """

        def one(pair: tuple[File, Path]) -> bool:
            check()
            return self._one(*pair)

        for folder in {path.parent for _, path in pairs}:
            folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            fetched = list(pool.map(one, pairs))
        if any(fetched):
            self._cache.evict()

    def _one(self, file: File, target: Path) -> bool:
        """Fetches one file; returns whether its body was downloaded."""
        kept = self._cache.path(file.bucket, file.key, file.etag)
        headers = {"If-None-Match": file.etag} if file.etag and kept.exists() else {}
        while True:
            answer = self._get(file, headers)
            try:
                if answer.status == 304:
                    if self._cache.take(kept, target):
                        return False
                    headers = {}  # it was evicted meanwhile
                    continue
                if answer.status != 200:
                    raise _error(file, answer)
                kept = self._cache.path(file.bucket, file.key, answer.headers.get("ETag", file.etag))
                self._cache.put(kept, answer.stream(_CHUNK))
                if self._cache.take(kept, target):
                    return True
            finally:
                answer.release_conn()

    def _get(self, file: File, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        url = f"{self._endpoint}/{file.bucket}/{quote(file.key, safe='/~')}"
        request = AWSRequest("GET", url, headers={**headers, "Accept-Encoding": "identity"})
        self._signer.add_auth(request)
        try:
            return self._pool.request("GET", url, headers=dict(request.headers.items()), preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise QueryError(f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {file.uri}: {error}") from None


def _error(file: File, answer: urllib3.BaseHTTPResponse) -> QueryError:
    body = answer.data.decode(errors="replace")
    code = body.partition("<Code>")[2].partition("</Code>")[0] or str(answer.status)
    message = body.partition("<Message>")[2].partition("</Message>")[0]
    if answer.status == 403:
        return QueryError(
            f"PERMISSION_DENIED: Access Denied when reading {file.uri} (Service: Amazon S3; Status Code: 403;"
            f" Error Code: {code}): {message}"
        )
    return QueryError(f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {file.uri}: {code}: {message}")
