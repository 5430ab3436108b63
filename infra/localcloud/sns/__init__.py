"""SNS: errors of Publish as SNS words them."""

from __future__ import annotations

from moto.sns.models import sns_backends

from infra.localcloud.install import Context, replace_backend
from infra.localcloud.sns.models import SnsBackend


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(sns_backends, SnsBackend, context)
