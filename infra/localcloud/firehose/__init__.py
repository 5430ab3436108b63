"""Firehose: records that are put are written to S3 at once."""

from __future__ import annotations

from moto.firehose.models import firehose_backends

from infra.localcloud.firehose.models import FirehoseBackend
from infra.localcloud.install import Context, replace_backend


def install(context: Context) -> None:
    """Puts this backend into moto."""
    replace_backend(firehose_backends, FirehoseBackend, context)
