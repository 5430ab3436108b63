"""A working folder in which Terraform runs the project's configuration against a local cloud.

The folder has links to the configuration and to the data files that it reads by relative paths. So Terraform's own
files (plugins, state, plans) and the override for the local cloud stay out of the source tree.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.laptop.config import REGION, ROOT, LaptopError
from infra.laptop.terraform.binary import FEWER_COLLECTIONS, PLUGINS_VARIABLE, Terraform
from infra.laptop.terraform.events import Outcome, read_events

CONFIGURATION = Path("infra", "terraform")
WORKLOADS = Path("include", "workloads")
_LEFT_OUT = ("*.tfstate*", ".terraform*", "*.auto.tfvars.json", "*_override.tf")
_VARIABLES = "given.tfvars.json"
_PARALLELISM = "-parallelism=8"  # the provider waits more than it works

# What the AWS provider needs to talk to a local cloud. The address and the keys are environment variables.
_PROVIDER = """\
provider "aws" {{{alias}
  max_retries             = 2
  s3_use_path_style       = true
  skip_metadata_api_check = true
  skip_region_validation  = true
}}
"""
_ALIAS = '\n  alias                   = "edge"'
OVERRIDE = (
    'terraform {\n  backend "local" {}\n}\n\n' + _PROVIDER.format(alias="") + "\n" + _PROVIDER.format(alias=_ALIAS)
)


def cloud_environment(endpoint: str, access_key_id: str, secret_access_key: str) -> dict[str, str]:
    """The environment in which Terraform's AWS provider uses a local cloud, and nothing of this machine's AWS set-up.

    The local cloud is the HTTP proxy, too: some services put a label before the host of the endpoint.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))}
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        inherited.pop(name, None)
    return (
        FEWER_COLLECTIONS
        | inherited
        | {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": access_key_id,
            "AWS_SECRET_ACCESS_KEY": secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "1",
            "HTTP_PROXY": endpoint,
            "TF_IN_AUTOMATION": "1",
        }
    )


class Workspace:
    """The working folder.

    Args:
        terraform: The program.
        folder: Where it is made. A state that is there is kept.
        environment: Which variable file of ``infra/terraform/environments`` is used.
        process_environment: The environment of Terraform (:func:`cloud_environment`).
        report: Called with each line of progress.
    """

    def __init__(
        self,
        terraform: Terraform,
        folder: Path,
        environment: str,
        process_environment: Mapping[str, str],
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.terraform, self.folder = terraform, folder
        self.configuration = folder / CONFIGURATION
        self._environment, self._report = environment, report
        self._process_environment = dict(process_environment)

    def prepare(self, variables: Mapping[str, Any], root: Path = ROOT) -> None:
        """Links the sources, writes the override and the variables, and initialises Terraform.

        Raises:
            LaptopError: There is no such environment, or Terraform cannot be initialised.
        """
        _require_environment(root, self._environment)
        mirror(root, self.folder)
        (self.configuration / "local_override.tf").write_text(OVERRIDE)
        (self.configuration / _VARIABLES).write_text(json.dumps(dict(variables), indent=1))
        done = self._run(*self.terraform.init_arguments, "-no-color")
        if done.returncode:
            where = f"the plugin folder {self.terraform.plugins}" if self.terraform.plugins else "the registry"
            raise LaptopError(
                f"terraform init failed; it gets the AWS provider from {where}. Without a registry, set "
                f"{PLUGINS_VARIABLE} to a plugin folder. Terraform's text:\n{done.stderr.strip()}"
            )

    def plan(self, *arguments: str) -> Outcome:
        """Plans, and writes the plan to the file ``plan.tfplan``."""
        return self._changing("plan", "-out=plan.tfplan", *arguments)

    def apply(self, *arguments: str) -> Outcome:
        """Applies without asking."""
        return self._changing("apply", "-auto-approve", *arguments)

    def destroy(self, *arguments: str) -> Outcome:
        """Destroys everything in the state without asking."""
        return self._changing("destroy", "-auto-approve", *arguments)

    def outputs(self) -> dict[str, Any]:
        """The root's outputs."""
        return {name: output["value"] for name, output in json.loads(self._checked("output", "-json")).items()}

    def planned(self) -> dict[str, Any]:
        """The plan that :meth:`plan` wrote, in Terraform's JSON form."""
        shown: dict[str, Any] = json.loads(self._checked("show", "-json", "plan.tfplan"))
        return shown

    def _changing(self, command: str, *arguments: str) -> Outcome:
        files = (f"-var-file=environments/{self._environment}.tfvars", f"-var-file={_VARIABLES}")
        argv = [self.terraform.path, command, "-json", "-input=false", _PARALLELISM, *files, *arguments]
        process = subprocess.Popen(
            argv,
            cwd=self.configuration,
            env=self._process_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        with process:
            outcome = read_events(process.stdout, self._report)
        outcome.code = process.returncode
        return outcome

    def _checked(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise LaptopError(f"terraform {arguments[0]} failed in {self.configuration}:\n{done.stderr.strip()}")
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.terraform.path, *arguments],
            cwd=self.configuration,
            env=self._process_environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def _require_environment(root: Path, environment: str) -> None:
    known = sorted(file.stem for file in (root / CONFIGURATION / "environments").glob("*.tfvars"))
    if environment not in known:
        raise LaptopError(f"ENV={environment}: there is no such environment. Choose one of {', '.join(known)}.")


def mirror(root: Path, folder: Path) -> None:
    """Links what the configuration reads; links of an earlier time are replaced, as files may have gone.

    Args:
        root: The source tree.
        folder: Gets ``infra/`` and ``include/``; one of them that is there already is kept.
    """
    configuration = folder / CONFIGURATION
    configuration.mkdir(parents=True, exist_ok=True)
    for old in (*configuration.iterdir(), *configuration.parent.iterdir(), folder / "include"):
        if old.is_symlink():
            old.unlink()
    excluded = shutil.ignore_patterns(*_LEFT_OUT)
    sources = [path for path in (root / "infra").iterdir() if path.name != CONFIGURATION.name]
    for source in (*sources, root / "include"):
        target = folder / source.relative_to(root)
        if not target.exists():  # a test has folders of its own
            target.symlink_to(source)
    names = [path.name for path in (root / CONFIGURATION).iterdir()]
    for name in set(names) - set(excluded(str(root / CONFIGURATION), names)):
        (configuration / name).symlink_to(root / CONFIGURATION / name)
