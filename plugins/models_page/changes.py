"""The routes that change something: each needs a reason, and is a run of the deploy DAG or an audited change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.exceptions import AirflowException
from fastapi import APIRouter, Depends, HTTPException
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from include.pipelines.models import changes as domain
from include.pipelines.models.changes import Asked, Change
from include.pipelines.models.reasons import reason_of
from models_page import links, runs, sources
from models_page.access import CHANGES, DeployDag, User, workload_of

router = APIRouter(dependencies=CHANGES)


class Asking(BaseModel):
    """The body of every change.

    Attributes:
        reason: Why.
        revision: Revision of the record of what is live, as the page showed it.
    """

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=2000)]
    revision: Annotated[int, Field(ge=0)]


class AskingToFreeze(Asking):
    """The body of a freeze.

    Attributes:
        until: When it ends by itself.
    """

    until: AwareDatetime


class AskingToEnd(Asking):
    """The body of the end of a deploy.

    Attributes:
        run_id: The run whose deploy is ended, as the page showed it.
    """

    run_id: Annotated[str, Field(min_length=1, max_length=250)]


class Workplace:
    """What a change is made with: the workload's registry and state, in the name of the user."""

    def __init__(self, dag: DeployDag, user: User, session: SessionDep) -> None:
        used = sources.sources()
        self.dag, self.workload, self.user, self.session = dag, workload_of(dag.dag_id), user.get_name(), session
        self.state, self.registry = used.state, used.registry_of(self.workload)

    def asked(self, body: Asking) -> Asked:
        """Who asks, and why."""
        running = runs.unfinished(self.dag.dag_id, self.session)
        return Asked(self.user, reason_of(body.reason), body.revision, datetime.now(UTC), running)

    def done(self, change: Change) -> dict[str, Any]:
        """Triggers the run that the change needs, and says what was done."""
        sources.version_list(self.workload).forget()
        if change.run is None:
            return {"text": change.text, "run": None}
        dag_id = self.dag.dag_id
        try:
            run_id = runs.trigger(dag_id, change.run, self.user, self.session)
        except (AirflowException, ValueError) as error:
            text = f"{change.text} But {dag_id} could not be triggered with {change.run.conf}: {error}"
            raise HTTPException(409, text) from error
        return {"text": change.text, "run": {"id": run_id, "page": links.run_page(dag_id, run_id)}}


At = Annotated[Workplace, Depends()]


@router.post("/api/{dag_id}/versions/{number}/approve")
def approve_model_version(at: At, number: int, body: Asking) -> dict[str, Any]:
    """Approves a version that waits for it, and deploys it."""
    runs.require_triggerable(at.dag)
    version = sources.version(at.workload, number)
    return at.done(domain.approve(at.workload, version, at.registry, at.state, at.asked(body)))


@router.post("/api/{dag_id}/versions/{number}/reject")
def reject_model_version(at: At, number: int, body: Asking) -> dict[str, Any]:
    """Rejects a version."""
    version = sources.version(at.workload, number)
    return at.done(domain.reject(at.workload, version, at.registry, at.state, at.asked(body)))


@router.post("/api/{dag_id}/versions/{number}/deploy")
def deploy_model_version(at: At, number: int, body: Asking) -> dict[str, Any]:
    """Deploys an approved version."""
    runs.require_triggerable(at.dag)
    return at.done(domain.deploy(at.workload, number, sources.versions(at.workload), at.state, at.asked(body)))


@router.post("/api/{dag_id}/roll-back")
def roll_back_model(at: At, body: Asking) -> dict[str, Any]:
    """Deploys the version that was live before."""
    runs.require_triggerable(at.dag)
    return at.done(domain.roll_back(at.workload, sources.versions(at.workload), at.state, at.asked(body)))


@router.post("/api/{dag_id}/end-deploy")
def end_model_deploy(at: At, body: AskingToEnd) -> dict[str, Any]:
    """Ends the deploy of the run that the page showed. A paused DAG is no hindrance: it is told."""
    told: Any = {"stands_still": runs.stands_still(at.dag), "look_seconds": sources.look_seconds()}
    return at.done(domain.end_deploy(at.workload, body.run_id, at.state, at.asked(body), **told))


@router.post("/api/{dag_id}/release-hold")
def release_model_hold(at: At, body: Asking) -> dict[str, Any]:
    """Deploys the newest approved version, and ends the hold."""
    runs.require_triggerable(at.dag)
    return at.done(domain.release_hold(at.workload, sources.versions(at.workload), at.state, at.asked(body)))


@router.post("/api/{dag_id}/freeze")
def freeze_model_deploys(at: At, body: AskingToFreeze) -> dict[str, Any]:
    """Freezes the deploys of a workload."""
    return at.done(domain.freeze(at.workload, body.until, at.state, at.asked(body)))


@router.post("/api/{dag_id}/unfreeze")
def unfreeze_model_deploys(at: At, body: Asking) -> dict[str, Any]:
    """Ends the freeze of a workload's deploys."""
    return at.done(domain.unfreeze(at.workload, at.state, at.asked(body)))
