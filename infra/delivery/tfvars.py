"""Terraform's variable ``release``: which code and images an environment has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from include.lake import layout
from infra.delivery import images
from infra.package.release import DAGS, PLUGINS, REQUIREMENTS
from infra.package.tree import ROOT

TFVARS = "release.auto.tfvars.json"
DEFAULT_FILE = ROOT / "infra" / "terraform" / TFVARS


def variables(code_sha: str, references: Mapping[str, str]) -> dict[str, Any]:
    """The content of ``release.auto.tfvars.json``.

    Args:
        code_sha: The build.
        references: Each image by digest, by its name.
    """
    prefix = layout.release_prefix(code_sha)
    return {
        "release": {
            "code_sha": code_sha,
            **{image.variable: references[image.name] for image in images.named(references)},
            "plugins_key": f"{prefix}{PLUGINS}",
            "requirements_key": f"{prefix}{REQUIREMENTS}",
            "dags_path": f"{prefix}{DAGS}",
        }
    }


def text(content: Mapping[str, Any]) -> str:
    """The file's text."""
    return json.dumps(content, indent=1) + "\n"


def write(file: Path, content: Mapping[str, Any]) -> None:
    """Writes the file."""
    file.write_text(text(content))
    print(f"wrote {file}: {content['release'] and content['release']['code_sha']}")
