"""Systems Manager: parameters keep to the limits of their tier and to their pattern."""

from __future__ import annotations

from moto.ssm.models import ssm_backends

from infra.localcloud.install import Context, replace_backend
from infra.localcloud.ssm.models import SsmBackend


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(ssm_backends, SsmBackend, context)
