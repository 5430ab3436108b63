"""Buttons on a task that open the pages of what it is about: documents in S3, a service.

The address is kept in Airflow's database for as long as the run. So a document's address is never a signed one, which
would open it to anyone, and only until the worker's temporary credentials end: it is the object's page in the AWS
console, which asks for the person's own permission, or in another endpoint's console (ADR 39).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import BaseOperatorLink, XComArg, get_current_context
from airflow.sdk.configuration import conf

from nightjar.jobs.job import CONSOLE
from nightjar.jobs.link import is_aws

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

OBJECTS = "objects"
"""Path of documents below the console of an endpoint that is not AWS's."""


class PageLink(BaseOperatorLink):
    """Opens a page that the task has named while it ran (:func:`add_pages`).

    Args:
        name: The button's text.
    """

    name = ""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def xcom_key(self) -> str:
        """The XCom of this link; Airflow's own is the same for every link of a class."""
        return f"_link_page_{self.name}"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Returns the link; empty if the task has named no such page, or no console shows it."""
        pages: Mapping[str, str] = getattr(operator, "pages", {})
        return pages.get(self.name, "")


def linked(result: Any, *names: str) -> Any:
    """Gives a task of the TaskFlow API buttons for pages; returns its result as it is."""
    operator: Any = getattr(result, "operator", None)
    if not isinstance(result, XComArg) or operator is None:
        raise TypeError(f"{result!r} is not the result of one task")
    operator.operator_extra_links = tuple(map(PageLink, names))
    return result


def add_pages(pages: Mapping[str, str]) -> Mapping[str, str]:
    """Names pages of the current task.

    Outside a task, where a test calls its function, it does nothing.

    Args:
        pages: A button's text → the URI of an object in S3, or the URL of a page.

    Returns:
        The button's text → the address that it opens; without those that no console shows.
    """
    try:
        context = get_current_context()
    except RuntimeError:
        return {}
    task: Any = context["task"]
    client = S3Hook(aws_conn_id=None).conn
    found = {name: page_url(uri, client) for name, uri in pages.items()}
    task.pages = {**getattr(task, "pages", {}), **found}
    return {name: url for name, url in found.items() if url}


def address(uri: str) -> str:
    """Returns :func:`page_url` of a document at the endpoint of this environment."""
    return page_url(uri, S3Hook(aws_conn_id=None).conn)


def page_url(uri: str, client: Any) -> str:
    """Returns the address at which a person's browser shows a document; empty where no console shows it.

    Args:
        uri: The URI of an object in S3, or the URL of a page, which is returned as it is.
        client: A boto3 client of the endpoint.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        return uri
    if parts.scheme != "s3":
        return ""
    bucket, key = parts.netloc, uri.removeprefix(f"s3://{parts.netloc}/")
    if is_aws(client):
        query = urlencode({"region": client.meta.region_name, "prefix": key})
        return f"{CONSOLE}s3/object/{quote(bucket)}?{query}"
    console: str = conf.get("nightjar", "console_url", fallback="")
    return f"{console}/{OBJECTS}/{quote(bucket)}/{quote(key)}" if console else ""
