"""Lists of jobs that AWS has, for the sweep; one class for each kind of job, in the service's folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from nightjar.jobs.job import Description, StoppableJob


class ListedJob(NamedTuple):
    """A job of a list.

    Attributes:
        job: The job.
        state: Its state.
        begun: When it was submitted.
        description: The job as AWS describes it; None where the list says less.
    """

    job: StoppableJob[Any]
    state: str
    begun: datetime
    description: Description | None = None


class JobListing(ABC):
    """Lists one kind of job."""

    client_type: ClassVar[str]

    @abstractmethod
    def listed(self, client: Any, since: datetime) -> Iterator[ListedJob]:
        """Iterates over the jobs that run, and over those that were submitted, or have ended, since an instant."""
