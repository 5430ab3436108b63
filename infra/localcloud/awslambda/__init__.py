"""Lambda: functions in Python run as processes with the credentials of their role."""

from __future__ import annotations

from moto.awslambda.models import lambda_backends

from infra.localcloud.awslambda.models import LambdaBackend, describe_what_was_given
from infra.localcloud.install import Context, replace_backend


def install(context: Context) -> None:
    """Puts this backend into moto, and what a function's configuration lacks there."""
    replace_backend(lambda_backends, LambdaBackend, context)
    describe_what_was_given()
