"""S3 with bodies on disk and an index in SQLite: it survives stop, kill and reboot."""

from __future__ import annotations

import moto.s3.models

from infra.localcloud.install import Context, replace_backend
from infra.localcloud.s3.models import S3Backend
from infra.localcloud.s3.store import Store


def install(context: Context) -> None:
    """Opens the store, and lets moto's other services reach it as if it were moto's S3."""
    S3Backend.store = Store(context.config.state / "s3")
    replace_backend(moto.s3.models.s3_backends, S3Backend, context)
    # moto's CloudWatch asks this class, and not the one that replaces it, for the sizes of buckets.
    setattr(moto.s3.models.S3Backend, "get_cloudwatch_metrics", S3Backend.get_cloudwatch_metrics)  # noqa: B010 - mypy


def installed_store() -> Store:
    """The store that :func:`install` opened."""
    return S3Backend.store
