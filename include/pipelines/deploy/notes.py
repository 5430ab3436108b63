"""What a deploy run says in its note, and the page that it links to."""

from __future__ import annotations

from include.pipelines.deploy.live import LivePointer
from include.pipelines.deploy.resolve import DeployTarget
from include.pipelines.deploy.service import Rollout

SERVICE = "Service"


def chosen(target: DeployTarget) -> str:
    """What is to be deployed."""
    live, version = target["live_version"], target["version"]
    if live is None:
        return f"Deploys version {version}; none was live."
    return f"Deploys version {version}{' again' if live == version else f' in place of version {live}'}."


def live(pointer: LivePointer) -> str:
    """What is live now, and what follows."""
    intent = pointer["intent"]
    back = " It is a rollback." if intent and intent["kind"] == "rollback" else ""
    if intent and intent["kind"] == "deploy" and intent["replaces"] == pointer["version"]:
        back = f" The model is the same as before; its image is {pointer.get('image', 'not known')}."
    hold = " Deploys of the newest version are on hold until a run has release_hold set." if pointer["hold"] else ""
    return f"Version {pointer['version']} is verified and live.{back}{hold}"


def rejected(version: int) -> str:
    """What becomes of a version that was at fault."""
    return f"Version {version} is Rejected: no later run deploys it."


def restored(rollout: Rollout) -> str:
    """Where the service goes back to."""
    return f"The service goes back to the last verified version, {rollout['task_definition'].rpartition('/')[2]}."
