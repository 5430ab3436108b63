"""Uploads scripts and archive of a build to ``code/<sha>/`` of the artifact bucket."""

from __future__ import annotations

from include.lake import layout
from infra.laptop.aws import Aws
from infra.package.build import Build
from infra.package.glue import scripts_and_archive
from infra.package.write_once import put_once


def upload(aws: Aws, bucket: str, build: Build) -> None:
    """Uploads what the Glue jobs need; existing objects are kept."""
    for name, body in scripts_and_archive().items():
        put_once(aws.s3, bucket, layout.code_prefix(build.code_sha) + name, body)
