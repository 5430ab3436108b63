"""Submit a remote job once: adopt the one that runs or has succeeded under its key, else start the next attempt.

The key is made from *what is asked for* (the work, its inputs, parameters, code and image); the DAG computes it.
Attempt numbers come from the jobs that exist in AWS (``<key>``, ``<key>-a2``, …), never from Airflow's ``try_number``.
So a worker that was killed between the start of a job and the end of the task finds its job when the task is retried,
and so does a task that is cleared after a month.

Every string of a request may hold ``${submit_key}``. It is replaced by the key of the attempt that is started, so an
attempt never overwrites what a failed one left behind. That key is pushed as the XCom ``submit_key``; the return value
is the job's own id.

Keys are passed as XCom references (``planned["key"]``), not as templates: in a DAG that renders templates as native
objects, a key that consists of digits would become a number.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk.exceptions import AirflowFailException

from nightjar.busy import ERRORS, busy_reason
from nightjar.denied import fail_if_denied
from nightjar.jobs.job import RemoteJob
from nightjar.jobs.ledger import JobLedger
from nightjar.jobs.link import JobLink

if TYPE_CHECKING:
    from airflow.sdk import Context

BUSY_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Attempt:
    """A job that exists under a key.

    Attributes:
        job: The job.
        state: The job's state as AWS reports it.
        started: Whether this call started it.
    """

    job: RemoteJob[Any]
    state: str
    started: bool = False

    @property
    def is_adoptable(self) -> bool:
        """Whether the job still works or has succeeded."""
        return self.state in self.job.active | self.job.succeeded


def attempt_key(key: str, number: int) -> str:
    """Returns the key of one attempt; the first has no suffix."""
    return key if number == 1 else f"{key}-a{number}"


def fill(value: Any, texts: Mapping[str, str]) -> Any:
    """Replaces every ``${name}`` in the strings of ``value`` by ``texts[name]``, through dicts and lists."""
    if isinstance(value, str):
        for name, text in texts.items():
            value = value.replace("${" + name + "}", text)
        return value
    if isinstance(value, dict):
        return {name: fill(item, texts) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, texts) for item in value]
    return value


def require_text(name: str, value: object) -> str:
    """Returns the value as it is.

    Raises:
        TypeError: The value is not a text: a template was rendered as a native object.
    """
    if not isinstance(value, str):
        raise TypeError(
            f"{name} is {value!r}, not a text: pass it as an XCom reference (task.output), because a template that "
            "renders to digits becomes a number"
        )
    return value


class SubmitOperator(AwsBaseOperator[AwsBaseHook]):
    """Base of the submit operators.

    While AWS is busy (throttled, or as many jobs run as the account or the job allows), the task is deferred. That
    costs no retry.

    Args:
        submit_key: Key of the work (templated).
        fresh: Whether to run the work again even if it was done (templated; in a DAG that renders templates as native
            objects, ``"{{ params.fresh }}"`` is a boolean). The key is salted with the id of the DAG run, so that a
            retry within the same run adopts its job.
        poll_seconds: Seconds between two tries while AWS is busy.
        busy_seconds: How long to wait while AWS is busy, from the first try on.
        ledger: Where the run claims the job before it is started or adopted; None for nowhere.
        aws_conn_id: Airflow connection; None for boto3's own credentials.
        **kwargs: Arguments of every AWS operator, such as ``region_name``.
    """

    aws_hook_class = AwsBaseHook
    client_type: ClassVar[str]
    template_fields = aws_template_fields("submit_key", "fresh")
    operator_extra_links = (JobLink(),)

    def __init__(
        self,
        *,
        submit_key: str,
        fresh: bool | str = False,
        poll_seconds: float = 30,
        busy_seconds: float = BUSY_SECONDS,
        ledger: JobLedger | None = None,
        aws_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(aws_conn_id=aws_conn_id, **kwargs)
        self.submit_key = submit_key
        self.fresh = fresh
        self.poll_seconds = poll_seconds
        self.busy_seconds = busy_seconds
        self.ledger = ledger
        self.job_link = ""

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        return {**super()._hook_parameters, "client_type": self.client_type}

    @abstractmethod
    def find_or_start(self, key: str) -> Attempt:
        """Returns the job that exists under exactly this key, else starts one."""

    @abstractmethod
    def submitted_job(self) -> RemoteJob[Any]:
        """Returns the reference to the job that this task submits: its id is the task's output."""

    def execute(self, context: Context) -> str:
        """Adopts or starts the job.

        Returns:
            The job's id in AWS.
        """
        return self._submit(context, None)

    def resume(self, context: Context, event: Any, busy_until: str) -> str:
        """Tries again, after AWS was busy."""
        return self._submit(context, datetime.fromisoformat(busy_until))

    @fail_if_denied()
    def _submit(self, context: Context, busy_until: datetime | None) -> str:
        key = require_text("submit_key", self.submit_key)
        if not isinstance(self.fresh, bool):
            raise TypeError(f"fresh is {self.fresh!r}, not a boolean: set render_template_as_native_obj on the DAG")
        if self.fresh:
            key = f"{key}-f{hashlib.sha256(context['run_id'].encode()).hexdigest()[:6]}"
        try:
            attempt, key = self._attempt(key, context)
        except ERRORS as error:
            self._wait_if_busy(error, busy_until)
            raise
        verb = "Started" if attempt.started else "Adopted"
        client: Any = self.hook.conn
        self.job_link = attempt.job.link(client)
        self.log.info("%s %s (%s) under key %s\n%s", verb, attempt.job, attempt.state, key, self.job_link)
        context["ti"].xcom_push(key="submit_key", value=key)
        return attempt.job.identifier

    def _wait_if_busy(self, error: Any, busy_until: datetime | None) -> None:
        """Defers the task if the error says that AWS is busy."""
        reason, now = busy_reason(error), datetime.now(UTC)
        if reason is None:
            return
        if busy_until is None:
            busy_until = now + timedelta(seconds=self.busy_seconds)
            self.log.warning("AWS is busy: trying until %s. %s", busy_until.isoformat(timespec="seconds"), error)
        if now >= busy_until:
            raise AirflowFailException(
                f"AWS has been busy for {self.busy_seconds:g} s: {error}. Look at what runs there, raise the limit, or "
                "clear this task later."
            ) from error
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(seconds=self.poll_seconds)),
            method_name="resume",
            kwargs={"busy_until": busy_until.isoformat()},
        )

    def _attempt(self, key: str, context: Context) -> tuple[Attempt, str]:
        number = 1
        while True:
            numbered = attempt_key(key, number)
            if self.ledger:
                self.ledger.claim(numbered, context)
            attempt = self.find_or_start(numbered)
            if attempt.started or attempt.is_adoptable:
                return attempt, numbered
            self.log.info("%s under key %s is %s: next attempt", attempt.job, numbered, attempt.state)
            number += 1
