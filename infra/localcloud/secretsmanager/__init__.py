"""Secrets Manager: a secret that is marked for deletion takes no new version."""

from __future__ import annotations

from moto.secretsmanager.models import secretsmanager_backends

from infra.localcloud.install import Context, replace_backend
from infra.localcloud.secretsmanager.models import SecretsManagerBackend


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(secretsmanager_backends, SecretsManagerBackend, context)
