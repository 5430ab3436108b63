"""Documents of the artifact bucket, as a person at this laptop may see them.

On AWS the console asks S3 with the rights of the person who is logged in. Here that person is the local cloud's
operator, so documents are read with the operator's key: the role of Airflow needs no right to read them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from airflow.configuration import conf
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from include.settings import settings

from .not_shown import NotShownError

SHOWN = ("data-docs/", "jobs/", "decisions/", "cards/", "backfills/")
LARGEST = 20 * 1024 * 1024
PAGE, DOCUMENT = ".html", ".json"


@dataclass(frozen=True)
class Document:
    """A document of the artifact bucket."""

    key: str
    text: str

    @property
    def is_page(self) -> bool:
        """Whether it is an HTML page; it is JSON otherwise."""
        return self.key.endswith(PAGE)


def read_document(bucket: str, key: str) -> Document:
    """Reads a document.

    Raises:
        NotShownError: It is no page or JSON document of the artifact bucket, or does not exist, or S3 does not answer.
    """
    parts = key.split("/")
    is_safe = all(part not in ("", ".", "..") for part in parts) and key.isprintable() and "\\" not in key
    if bucket != settings().artifact_bucket or not key.startswith(SHOWN) or not is_safe:
        raise NotShownError(404, "Only documents of tasks are shown. Open one with the link on its task in Airflow.")
    if not key.endswith((PAGE, DOCUMENT)):
        raise NotShownError(404, f"{key} is neither a page nor JSON. Read it with an S3 client; see make env.")
    text = _read(bucket, key)
    return Document(key, text if key.endswith(PAGE) else _indented(text))


def _read(bucket: str, key: str) -> str:
    try:
        answer = _client().get_object(Bucket=bucket, Key=key)
        if answer["ContentLength"] > LARGEST:
            raise NotShownError(413, f"{key} has {answer['ContentLength']} bytes, too many for a page.")
        body: bytes = answer["Body"].read()
    except ClientError as error:
        if error.response["Error"].get("Code") in ("NoSuchKey", "404"):
            raise NotShownError(404, f"There is no {key} yet. The task may not have written it.") from error
        raise NotShownError(503, f"S3 refuses: {error}. Load this page again; see also make status.") from error
    except BotoCoreError as error:
        raise NotShownError(503, f"S3 does not answer: {error}. Load this page again; see also make status.") from error
    return body.decode("utf-8", "replace")


def _client() -> Any:
    """A client with the operator's key, of which a file has the current one."""
    key = json.loads(Path(conf.get("nightjar", "operator_key_file")).read_text())
    options = Config(retries={"max_attempts": 2, "mode": "standard"}, s3={"addressing_style": "path"})
    return boto3.client(
        "s3",
        aws_access_key_id=key["access_key_id"],
        aws_secret_access_key=key["secret_access_key"],
        region_name=settings().region,
        config=options,
    )


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
