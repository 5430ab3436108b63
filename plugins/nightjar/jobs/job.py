"""References to remote jobs: what the sensor, the submit operators and the teardown operator know of a job."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import jmespath
from airflow.sdk import BaseOperator

from nightjar.jobs.link import is_aws, other_console_link

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import Context

    from nightjar.jobs.usage import JobUsage

CONSOLE = "https://console.aws.amazon.com/"
Description = dict[str, Any]  # the JSON with which AWS describes a job
LogStream = tuple[str, str]  # log group, prefix of the stream's name


@dataclass(frozen=True)
class RemoteJob[ClientT](ABC):
    """A reference to one remote job.

    A subclass is a frozen dataclass whose fields name the job in AWS. A field may be a template or an XCom reference:
    the operators that take references render them.

    Attributes:
        client_type: boto3's name of the service.
        describe_method: The client's method that describes one job.
        state_path: JMESPath of the job's state in the description.
        active: States of a job that still works or waits to work.
        stopping: States of a job that is on its way to stop, and will not succeed.
        succeeded: States of a job that ended well. Every state not listed is a failure.
        advice: What a person does after a failure.
    """

    client_type: ClassVar[str]
    describe_method: ClassVar[str]
    state_path: ClassVar[str]
    active: ClassVar[frozenset[str]]
    stopping: ClassVar[frozenset[str]] = frozenset()
    succeeded: ClassVar[frozenset[str]]
    advice: ClassVar[str] = "To run it again, clear the task that submitted it: it starts the next attempt."

    @property
    @abstractmethod
    def identifier(self) -> str:
        """The job's id in AWS; empty or None for a job that was never started."""

    @abstractmethod
    def describe_arguments(self) -> dict[str, Any]:
        """Returns the arguments of the describing call."""

    @abstractmethod
    def result(self, description: Description) -> Mapping[str, object]:
        """Returns what the sensor returns for a job that succeeded: small, JSON."""

    @abstractmethod
    def reason(self, client: ClientT, description: Description) -> str:
        """Returns why the job failed, as AWS reports it."""

    @abstractmethod
    def log_streams(self, client: ClientT, description: Description) -> list[LogStream]:
        """Returns the streams of CloudWatch Logs that the job writes to."""

    @abstractmethod
    def console_link(self, region: str) -> str:
        """Returns the AWS console's page of the job."""

    def submit_key(self, description: Description) -> str | None:
        """Returns the key of the attempt that the job was submitted under; None where no submit task started it."""
        return None

    def usages(self, client: ClientT, description: Description) -> list[JobUsage]:
        """Returns what AWS charges for a job that has ended; nothing for a kind of job that is not charged for."""
        return []

    def link(self, client: Any) -> str:
        """Returns the page of the job in the console of the client's endpoint; empty where no console shows the job.

        The AWS console's page is that of the client's region.
        """
        return self.console_link(client.meta.region_name) if is_aws(client) else other_console_link(self)

    def describe(self, client: ClientT) -> Description:
        """Asks AWS to describe the job."""
        description: Description = getattr(client, self.describe_method)(**self.describe_arguments())
        return description

    def state(self, description: Description) -> str | None:
        """Returns the job's state as AWS reports it; None if the description has none."""
        state: str | None = jmespath.search(self.state_path, description)
        return state

    def failure(self, client: ClientT, description: Description) -> str | None:
        """Returns why a job that has ended did not succeed; None where it did."""
        state = self.state(description)
        return None if state in self.succeeded else f"ended {state}: {self.reason(client, description)}"


class StoppableJob[ClientT](RemoteJob[ClientT]):
    """A job that can be stopped."""

    @abstractmethod
    def stop(self, client: ClientT) -> None:
        """Asks AWS to stop the job."""

    def is_part_of_another(self, description: Description) -> bool:
        """Whether another job has started it, and is stopped in its place."""
        return False

    def stop_if_active(self, client: ClientT) -> bool:
        """Asks AWS to stop the job if it is active; returns whether it was."""
        active = self.state(self.describe(client)) in self.active
        if active:
            self.stop(client)
        return active


class RendersJobs(BaseOperator):
    """An operator that renders the templates and XCom references of job references.

    Rendering gives new references: several tasks may be made with the same one.
    """

    def render_template(
        self,
        content: Any,
        context: Context,
        jinja_env: jinja2.Environment | None = None,
        seen_oids: set[int] | None = None,
    ) -> Any:
        """Renders a reference field by field, anything else as Airflow does."""
        if isinstance(content, RemoteJob):
            names = [field.name for field in fields(content)]
            values = {
                name: self.render_template(getattr(content, name), context, jinja_env, seen_oids) for name in names
            }
            return replace(content, **values)
        return super().render_template(content, context, jinja_env, seen_oids)
