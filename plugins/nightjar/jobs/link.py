"""The button on a task that opens its job in the AWS console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


def has_console(client: Any) -> bool:
    """Whether a client talks to AWS itself: the console shows nothing of another endpoint."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


class JobLink(BaseOperatorLink):
    """Opens what the operator has put into its attribute ``job_link`` while it ran."""

    name = "Job in AWS"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Returns the link; empty if the task has had no job yet, or no console shows it."""
        link: Any = getattr(operator, "job_link", "")
        return str(link)
