"""The whole root of ``infra/terraform``, applied to a local cloud once for all tests that look at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.laptop.terraform.commands import LOCAL, example_variables
from infra.laptop.terraform.events import Outcome
from infra.laptop.terraform.workspace import Workspace
from tests.support.localcloud import Cloud, base_config, running_cloud
from tests.support.terraform import environment_of, find_terraform


@dataclass(frozen=True)
class Root:
    """The applied root.

    Attributes:
        cloud: The local cloud in which it is.
        workspace: The folder of Terraform.
        applied: What the apply did.
    """

    cloud: Cloud
    workspace: Workspace
    applied: Outcome


@contextmanager
def applied_to_a_cloud(folder: Path) -> Iterator[Root]:
    """Applies it with everything that the local cloud does not refuse."""
    terraform = find_terraform()
    for part in ("cloud", "root"):
        (folder / part).mkdir()
    with running_cloud(folder / "cloud", base_config()) as cloud:
        workspace = Workspace(terraform, folder / "root", LOCAL, environment_of(cloud))
        workspace.prepare(example_variables(LOCAL))
        yield Root(cloud, workspace, workspace.apply())
