"""Who has asked for a job, and what it has used: written to the state table, for costs and for the reaper.

A submit task *claims* the attempt before it starts or adopts it, so that no job runs without a claim, and a job that
several runs have asked for has a claim of each. Whoever sees the end of a job (its sensor, the teardown task, the
sweep) *records* it. An object of the DAGs' side, the accounts, knows the keys and the prices.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypedDict, cast

from nightjar.state.hook import StateHook

if TYPE_CHECKING:
    from airflow.sdk import Context

    from nightjar.jobs.job import Description, RemoteJob
    from nightjar.jobs.usage import JobUsage

log = logging.getLogger(__name__)


class Claim(TypedDict):
    """That a run has asked for a job."""

    dag_id: str
    run_id: str
    task: str
    subject: str
    """What the run's DAG works on."""
    at: str


class Accounts(Protocol):
    """Keys and prices. Its text form has to be the same in every process, since it is an argument of operators."""

    @property
    def subject(self) -> str:
        """What the DAG works on."""

    def claim_partition(self, submit_key: str) -> str:
        """Returns the partition key of the claims of one attempt."""

    def record(self, usage: JobUsage, claims: Sequence[Any], state: Any) -> float | None:
        """Records an ended job once; returns its price, or None where there is none."""

    def run_sentence(self, dag_id: str, run_id: str, present: datetime, state: Any) -> str:
        """Says what the jobs of a run have cost; empty if it started none."""


@dataclass(frozen=True)
class JobLedger:
    """The claims and the records of jobs.

    Attributes:
        table: The state table.
        accounts: Keys and prices.
    """

    table: str
    accounts: Accounts

    def claim(self, submit_key: str, context: Context) -> None:
        """Records that the task's run asks for an attempt. The first time counts."""
        instance: Any = context["ti"]
        claim: Claim = {
            "dag_id": instance.dag_id,
            "run_id": context["run_id"],
            "task": instance.task_id,
            "subject": self.accounts.subject,
            "at": datetime.now(UTC).isoformat(),
        }
        run = f"{claim['dag_id']}/{claim['run_id']}"
        self._state().put_if(
            self.accounts.claim_partition(submit_key),
            run,
            claim,
            "attribute_not_exists(#run)",
            None,
            {"#run": "run_id"},
        )

    def claims(self, submit_key: str | None) -> list[Claim]:
        """Returns the claims of an attempt, the oldest first."""
        if submit_key is None:
            return []
        found = self._state().query(self.accounts.claim_partition(submit_key))
        return sorted((cast("Claim", item) for item in found.values()), key=lambda claim: claim["at"])

    def record(self, job: RemoteJob[Any], client: Any, description: Description) -> None:
        """Records what an ended job has used."""
        for usage in job.usages(client, description):
            self.accounts.record(usage, self.claims(usage["key"]), self._state())

    def try_record(self, job: RemoteJob[Any], client: Any, description: Description) -> None:
        """Records what an ended job has used; a ledger that cannot be written fails no task: the sweep records it."""
        try:
            self.record(job, client, description)
        except Exception:
            log.exception("What %s has used could not be recorded; the next sweep tries again", job)

    def run_sentence(self, context: Context) -> str:
        """Says what the jobs of the task's run have cost; empty if that cannot be read."""
        instance: Any = context["ti"]
        try:
            return self.accounts.run_sentence(instance.dag_id, context["run_id"], datetime.now(UTC), self._state())
        except Exception:
            log.exception("What the jobs of this run have cost cannot be read")
            return ""

    def _state(self) -> StateHook:
        return StateHook(self.table)
