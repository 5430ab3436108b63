"""Downloads and uploads of a job, made with the job's role."""

from __future__ import annotations

import shutil
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.localcloud.clients import role_client
from infra.localcloud.install import Context
from infra.localcloud.s3_uris import split_s3_uri
from infra.localcloud.sagemaker.errors import StorageError

_TRANSFERS = 4


class Storage:
    """S3 with the credentials of one role, so the requests are recorded under that role."""

    def __init__(self, context: Context, role_arn: str) -> None:
        self._role = role_arn
        self._s3 = role_client(context.identity.mint(role_arn, "SageMaker"), "s3")

    def download(self, uri: str, folder: Path, *, required: bool = True) -> int:
        """Downloads every object under the prefix into ``folder``.

        Args:
            uri: The prefix.
            folder: Where the objects go.
            required: Whether there must be an object.

        Returns:
            The number of objects.

        Raises:
            StorageError: There is no object, though one is required, or a request failed.
        """
        bucket, prefix = bucket_and_key(uri)
        try:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            keys = [item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]
            if not keys and required:
                raise StorageError(
                    f'ClientError: Data download failed: No S3 objects found under S3 URL "{uri}" given in input data '
                    f"source. Ensure that the bucket and objects under that prefix exist, and that the role "
                    f'"{self._role}" may list it.'
                )
            with ThreadPoolExecutor(max_workers=_TRANSFERS) as pool:
                list(pool.map(lambda key: self._get(bucket, key, local_file(folder, relative(key, prefix))), keys))
        except (ClientError, BotoCoreError) as error:
            raise StorageError(f"ClientError: Data download failed: {uri}: {error}") from None
        return len(keys)

    def upload_folder(self, folder: Path, uri: str) -> int:
        """Uploads every file below ``folder`` to the prefix; returns the number of files."""
        bucket, prefix = bucket_and_key(uri)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        for path in files:
            key = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}".lstrip("/")
            self._put(path, bucket, key)
        return len(files)

    def upload_file(self, path: Path, uri: str) -> None:
        """Uploads one file."""
        self._put(path, *bucket_and_key(uri))

    def upload_archive(self, folder: Path, uri: str, work: Path) -> bool:
        """Uploads the content of ``folder`` as one tar.gz at ``uri``.

        Args:
            folder: The folder to archive.
            uri: The object's S3 URI.
            work: A folder for the archive while it is uploaded.

        Returns:
            False, without an upload, when the folder is empty or missing.
        """
        if not folder.is_dir() or not any(folder.iterdir()):
            return False
        archive = work / "archive.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            for path in sorted(folder.iterdir()):
                tar.add(path, arcname=path.name)
        self._put(archive, *bucket_and_key(uri))
        archive.unlink()
        return True

    def _get(self, bucket: str, key: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(self._s3.get_object(Bucket=bucket, Key=key)["Body"], file)

    def _put(self, path: Path, bucket: str, key: str) -> None:
        try:
            with path.open("rb") as file:
                self._s3.put_object(Bucket=bucket, Key=key, Body=file)
        except (BotoCoreError, ClientError) as error:
            raise StorageError(f"ClientError: Artifact upload failed: s3://{bucket}/{key}: {error}") from None


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Bucket, and key or prefix, of an ``s3://`` URI.

    Raises:
        StorageError: It is not one.
    """
    try:
        return split_s3_uri(uri)
    except ValueError as error:
        raise StorageError(f"ClientError: {error}") from None


def relative(key: str, prefix: str) -> str:
    """The path of a prefix's object in its channel's folder."""
    if key == prefix:
        return key.rsplit("/", 1)[-1]
    if prefix.endswith("/") or not prefix or key[len(prefix)] == "/":
        return key[len(prefix) :].lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def local_file(folder: Path, path: str) -> Path:
    """The file at ``path`` in ``folder``.

    Raises:
        StorageError: The path leads out of the folder.
    """
    target = (folder / path).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise StorageError(f"ClientError: Data download failed: the key {path!r} leaves its folder")
    return target
