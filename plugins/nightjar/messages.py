"""A message to people that a task sends once, however often the task is tried."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import get_current_context

from nightjar.callbacks import UNPUBLISHED, publish, run_url
from nightjar.links import page_url

log = logging.getLogger(__name__)


class SentItems(Protocol):
    """Where it is recorded that a message was sent (``nightjar.state.hook.StateHook``)."""

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Returns the item's attributes, or None if it does not exist."""

    def put(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        """Writes the item, or replaces the one that exists."""


@dataclass(frozen=True)
class Messages:
    """Messages to one SNS topic.

    Attributes:
        topic_arn: The topic.
        items: Where it is recorded that one was sent.
    """

    topic_arn: str
    items: SentItems

    def send_once(self, key: tuple[str, str], subject: str, text: str, pages: Mapping[str, str]) -> bool:
        """Publishes a message with links, unless the one of this key was published before.

        It never raises: what the message is about is done. A task that dies between the message and its record sends
        it again when it is retried.

        Args:
            key: The item that records it.
            subject: The subject; cut to what SNS takes.
            text: The message.
            pages: What is linked below it, besides the run: a title → the URI of an object in S3, or a URL.

        Returns:
            Whether it was published now.
        """
        try:
            if self.items.get(*key):
                return False
            publish(self.topic_arn, subject, "\n\n".join([text, _links(pages)]))
            self.items.put(*key, {"subject": subject})
        except Exception:
            log.exception(UNPUBLISHED, self.topic_arn)
            return False
        return True


def _links(pages: Mapping[str, str]) -> str:
    client: Any = S3Hook(aws_conn_id=None).conn
    shown = {title: page_url(uri, client) or uri for title, uri in pages.items()}
    try:
        run: Any = get_current_context()["dag_run"]
        shown["Run"] = run_url(run.dag_id, run.run_id)
    except RuntimeError:  # outside a task, where a test calls its function
        pass
    return "\n".join(f"{title}: {url}" for title, url in shown.items())
