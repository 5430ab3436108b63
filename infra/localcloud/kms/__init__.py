"""KMS: keys that refuse what their state or their usage forbids."""

from __future__ import annotations

from moto.kms.models import kms_backends

from infra.localcloud.install import Context, replace_backend
from infra.localcloud.kms.models import KmsBackend


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(kms_backends, KmsBackend, context)
