"""moto's Secrets Manager, which refuses changes of a secret that is marked for deletion."""

from __future__ import annotations

from typing import Any, ClassVar

from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import SecretsManagerBackend as MotoSecretsManagerBackend

from infra.localcloud.install import Context


class SecretsManagerBackend(MotoSecretsManagerBackend):
    """Secrets of one account and region."""

    context: ClassVar[Context]

    def put_secret_value(self, secret_id: str, *args: Any, **kwargs: Any) -> str:
        """PutSecretValue.

        Raises:
            InvalidRequestException: The secret is marked for deletion.
        """
        if self._is_valid_identifier(secret_id) and self.secrets[secret_id].is_deleted():
            raise InvalidRequestException(
                "You can't perform this operation on the secret because it was marked for deletion."
            )
        return super().put_secret_value(secret_id, *args, **kwargs)
