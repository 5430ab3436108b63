"""Reads the data files of ``infra/definitions`` and ``infra/policies``, which Terraform reads too.

They are templates: ``${name}`` is filled in from :class:`Names`, and a doubled dollar sign is a literal one.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import Any

import yaml

from infra.laptop.config import ACCOUNT, REGION, ROOT

DEFINITIONS = ROOT / "infra" / "definitions"
POLICIES = ROOT / "infra" / "policies"
TLS_ONLY = "TlsOnly"


@dataclass(frozen=True)
class Names:
    """What the placeholders of all definitions stand for. The defaults are the laptop's.

    Attributes:
        account: AWS account.
        region: AWS region.
        raw: Bucket of the raw zone.
        lake: Bucket of everything that is derived from raw.
        artifact: Bucket of code, models and reports.
        mwaa: Bucket of the DAGs and plugins; only Terraform makes it.
        logs: Bucket of access logs; only Terraform makes it.
        environment: The environment; only the delivery's roles name it.
        github_repository: The repository whose workflows assume the delivery's roles.
        state: Bucket of Terraform's remote state.
    """

    account: str = ACCOUNT
    region: str = REGION
    raw: str = "nightjar-raw"
    lake: str = "nightjar-lake"
    artifact: str = "nightjar-artifact"
    mwaa: str = "nightjar-mwaa"
    logs: str = "nightjar-logs"
    environment: str = "local"
    github_repository: str = "example/nightjar"
    state: str = f"nightjar-terraform-{ACCOUNT}"


NAMES = Names()


def definition(name: str, **more: str) -> Any:
    """The content of ``infra/definitions/<name>.yaml``.

    Args:
        name: The file's name.
        more: Placeholders besides those of :class:`Names`, for example ``workload``.

    Raises:
        KeyError: The file has a placeholder that is not given.
    """
    return yaml.safe_load(_filled(DEFINITIONS / f"{name}.yaml", more))


def policy(folder: str, document: str, **more: str) -> dict[str, Any]:
    """The policy document ``infra/policies/<folder>/<document>.json``.

    Its placeholder ``key_<name>`` is the ARN of a key of keys.yaml, here an example: the id of a real key is random.
    Only documents that Terraform gives to a role have the placeholder.

    Raises:
        KeyError: The file has a placeholder that is not given.
    """
    keys = {f"key_{name}": f"arn:aws:kms:{NAMES.region}:{NAMES.account}:key/{name}" for name in definition("keys")}
    found: dict[str, Any] = json.loads(_filled(POLICIES / folder / f"{document}.json", {**keys, **more}))
    return found


def loopback_policy(folder: str, document: str, **more: str) -> dict[str, Any]:
    """A policy document without the refusal of plain http, which an endpoint on loopback cannot keep."""
    found = policy(folder, document, **more)
    return {**found, "Statement": [one for one in found["Statement"] if one["Sid"] != TLS_ONLY]}


def _filled(path: Path, more: dict[str, str]) -> str:
    return Template(path.read_text()).substitute(asdict(NAMES), **more)
