"""Temporary credentials of a role for every process, and the way back from an access key to its role."""

from __future__ import annotations

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from .config import Config

SESSION_SECONDS = 12 * 3600
OPERATOR = "operator"


class Identity:
    """Hands out and recognises credentials. Both keep to what moto's STS knows, so AssumeRole'd keys are known too."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def mint(self, role_arn: str, session: str = "nightjar") -> dict[str, str]:
        """New temporary credentials of the role, as the environment variables a process needs to use them here."""
        role = sts_backends[self._config.account]["aws"].assume_role(
            region_name=self._config.region,
            role_session_name=session,
            role_arn=role_arn,
            policy="",
            duration=SESSION_SECONDS,
            external_id="",
        )
        return {
            "AWS_ACCESS_KEY_ID": role.access_key_id,
            "AWS_SECRET_ACCESS_KEY": role.secret_access_key,
            "AWS_SESSION_TOKEN": role.session_token,
            "AWS_ENDPOINT_URL": self._config.endpoint,
            "AWS_REGION": self._config.region,
            "AWS_DEFAULT_REGION": self._config.region,
        }

    def role_of(self, access_key_id: str | None) -> str:
        """The role's ARN; ``operator`` for a key that belongs to no role (what a person or Airflow on the laptop uses)."""
        if access_key_id:
            for account in list(iam_backends):
                key = iam_backends[account]["aws"].access_keys.get(access_key_id)
                if key is not None and getattr(key, "role_arn", None):
                    return str(key.role_arn)
        return OPERATOR
