"""The button on a task that opens its job: in the AWS console, or in another endpoint's own."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from airflow.sdk import BaseOperatorLink
from airflow.sdk.configuration import conf

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


def is_aws(client: Any) -> bool:
    """Whether a client talks to AWS itself: AWS's console shows nothing of another endpoint."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def other_console_link(job: DataclassInstance) -> str:
    """Returns the page of a job in the console of an endpoint that is not AWS's; empty where there is none.

    Airflow's option ``[nightjar] console_url`` is that console's URL. The page's path is the name of the job's class,
    and its query has the fields.
    """
    console: str = conf.get("nightjar", "console_url", fallback="")
    return f"{console}/{type(job).__name__}?{urlencode(asdict(job))}" if console else ""


class JobLink(BaseOperatorLink):
    """Opens what the operator has put into its attribute ``job_link`` while it ran."""

    name = "Job"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Returns the link; empty if the task has had no job yet, or no console shows it."""
        link: Any = getattr(operator, "job_link", "")
        return str(link)
