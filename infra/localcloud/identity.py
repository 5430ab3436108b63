"""Temporary credentials of a role for every process, and the role of an access key."""

from __future__ import annotations

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from infra.localcloud.config import Config

SESSION_SECONDS = 12 * 3600
OPERATOR = "operator"


class RoleIdentity:
    """Issues temporary credentials of roles, and finds the role of an access key.

    Both use the state of moto's STS, so keys that a client gets from AssumeRole are found too.
    """

    def __init__(self, config: Config) -> None:
        self._config = config

    def mint(self, role_arn: str, session: str = "nightjar") -> dict[str, str]:
        """Issues new temporary credentials of the role.

        Returns:
            The environment variables with which a process uses them at this endpoint.
        """
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
        """Finds the ARN of an access key's role.

        Returns:
            ``operator`` for a key without a role: a person's, or that of the laptop stack's own commands
            (infra/laptop/aws.py).
        """
        if access_key_id:
            for account in list(iam_backends):
                key = iam_backends[account]["aws"].access_keys.get(access_key_id)
                if key is not None and getattr(key, "role_arn", None):
                    return str(key.role_arn)
        return OPERATOR
