"""In a GitHub job: writes an AWS configuration with a profile for each role, which the job's own token may assume.

For a command that needs two accounts at once. The token is valid for some minutes; it is written beside the
configuration, readable by this user only.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import httpx

from infra.delivery import command
from infra.delivery.command import DeliveryError

AUDIENCE = "sts.amazonaws.com"
URL, TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


def identity_token() -> str:
    """Asks GitHub for the job's token.

    Raises:
        DeliveryError: This is no job that may have one, or GitHub refuses it.
    """
    if URL not in os.environ or TOKEN not in os.environ:
        raise DeliveryError(f"{URL} is not set: this is no GitHub job, or it lacks the permission id-token: write.")
    header = {"Authorization": f"Bearer {os.environ[TOKEN]}"}
    try:
        asked = httpx.URL(os.environ[URL]).copy_merge_params({"audience": AUDIENCE})  # the URL has a query already
        answer = httpx.get(asked, headers=header, timeout=30)
        return str(answer.raise_for_status().json()["value"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise DeliveryError(f"GitHub gives no identity token ({error!r}). Run the job again.") from None


def write(config: Path, token: str, roles: dict[str, str], region: str) -> None:
    """Writes the token and the configuration."""
    file = config.with_name(f"{config.name}-token")
    for path, text in (
        (file, token),
        (config, "\n".join(_profile(name, role, file, region) for name, role in roles.items())),
    ):
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)


def _profile(name: str, role: str, token: Path, region: str) -> str:
    return f"[profile {name}]\nrole_arn = {role}\nweb_identity_token_file = {token}\nregion = {region}\n"


def _role(text: str) -> tuple[str, str]:
    name, _, arn = text.partition("=")
    if not name or not arn.startswith("arn:"):
        raise argparse.ArgumentTypeError(f"{text!r} is not <profile>=<role ARN>")
    return name, arn


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m infra.delivery.github_profiles", description=__doc__)
    made.add_argument("--config", type=Path, required=True, help="file to write; AWS_CONFIG_FILE of what follows")
    made.add_argument("--region", required=True, help="region of the profiles")
    made.add_argument("--role", type=_role, action="append", required=True, help="<profile>=<role ARN>; several times")
    return made


def main(given: argparse.Namespace) -> None:
    """Writes the files."""
    write(given.config, identity_token(), dict(given.role), given.region)


if __name__ == "__main__":
    sys.exit(command.run(parser(), main))
