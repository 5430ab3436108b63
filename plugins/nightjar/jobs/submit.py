"""Submit a remote job once: adopt the one that runs or has succeeded under its key, else start the next attempt.

The key names *what is asked* (stage, day, inputs, parameters, code, image); it is computed by the DAG. Attempt numbers come
from what AWS says exists (``<key>``, ``<key>-a2``, …), never from Airflow's ``try_number``: a worker killed between the start
of a job and the return of the task finds its job again when it is retried, and a cleared task finds it after a month.

Every string of a request may hold ``${submit_key}``: it is replaced by the key of the attempt that is started, so that an
attempt never writes over what a failed one left behind. The key in effect is pushed as the XCom ``submit_key``; the return
value is the job's own id.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context


@dataclass(frozen=True)
class Job:
    """A remote job: its id in AWS, AWS's word for its state, and whether this very call started it."""

    identifier: str
    state: str
    started: bool = False


def attempt_key(key: str, number: int) -> str:
    """The key of one attempt; the first has no suffix."""
    return key if number == 1 else f"{key}-a{number}"


def fill(value: Any, texts: Mapping[str, str]) -> Any:
    """``value`` with every ``${name}`` in its strings replaced by ``texts[name]``, through dicts and lists."""
    if isinstance(value, str):
        for name, text in texts.items():
            value = value.replace("${" + name + "}", text)
        return value
    if isinstance(value, dict):
        return {name: fill(item, texts) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, texts) for item in value]
    return value


class SubmitOperator(AwsBaseOperator[AwsBaseHook]):
    """Base of the submit operators.

    :param submit_key: key of the work (templated).
    :param fresh: run anew though the work was done (templated: ``"{{ params.fresh }}"``). The key is salted with the DAG
        run's id, so a retry within the same run still adopts.
    """

    aws_hook_class = AwsBaseHook
    client_type: ClassVar[str]
    adoptable: ClassVar[frozenset[str]]

    template_fields = aws_template_fields("submit_key", "fresh")

    def __init__(
        self, *, submit_key: str, fresh: bool | str = False, aws_conn_id: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(aws_conn_id=aws_conn_id, **kwargs)
        self.submit_key = submit_key
        self.fresh = fresh

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        return {**super()._hook_parameters, "client_type": self.client_type}

    @abstractmethod
    def find_or_start(self, key: str) -> Job:
        """The job that exists under exactly this key, else a new one."""

    @abstractmethod
    def console_link(self, job: Job) -> str:
        """Where a person looks at the job."""

    def execute(self, context: Context) -> str:
        key = self.submit_key
        if str(self.fresh).lower() == "true":
            key = f"{key}-f{hashlib.sha256(context['run_id'].encode()).hexdigest()[:6]}"
        for number in count(1):
            attempt = attempt_key(key, number)
            job = self.find_or_start(attempt)
            if job.started or job.state in self.adoptable:
                break
            self.log.info("%s under key %s is %s: trying the next attempt", job.identifier, attempt, job.state)
        self.log.info("%s %s (%s) under key %s\n%s", "Started" if job.started else "Adopted", job.identifier, job.state, attempt,
                      self.console_link(job))  # fmt: skip
        context["ti"].xcom_push(key="submit_key", value=attempt)
        return job.identifier
