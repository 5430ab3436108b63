"""SQS: messages have only the characters that SQS allows."""

from __future__ import annotations

from moto.sqs.models import sqs_backends

from infra.localcloud.install import Context, replace_backend
from infra.localcloud.sqs.models import SqsBackend


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(sqs_backends, SqsBackend, context)
