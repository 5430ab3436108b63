"""What the scanners are told to ignore has a reason, and what they cannot see is asked here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.laptop.bootstrap.definitions import definition

ROOT = Path(__file__).parents[2]
SCAN = ROOT / "infra" / "scan"
IGNORED = re.compile(r"^ *- (?:CKV\w*|DL\d+|SC\d+)\b(?P<rest>.*)$", re.MULTILINE)
INLINE = re.compile(r"checkov:skip=\w+:?(?P<reason>.*)")


@pytest.mark.parametrize("name", ["checkov.yaml", "hadolint.yaml"])
def test_a_check_that_is_ignored_has_its_reason_beside_it(name: str) -> None:
    for found in IGNORED.finditer((SCAN / name).read_text()):
        assert re.match(r" # \S.{15,}", found["rest"]), f"{found[0].strip()} has no reason"


def test_a_finding_that_is_explained_beside_its_resource_has_a_reason() -> None:
    for file in sorted((ROOT / "infra" / "terraform").rglob("*.tf")):
        for found in INLINE.finditer(file.read_text()):
            assert len(found["reason"]) > 15, f"{file.relative_to(ROOT)}: {found[0]}"


def test_every_bucket_ends_uploads_that_were_aborted() -> None:
    for name, bucket in definition("buckets").items():
        assert any("AbortIncompleteMultipartUpload" in rule for rule in bucket["lifecycle"]), name


def test_the_cluster_has_container_insights() -> None:
    assert {"name": "containerInsights", "value": "enabled"} in definition("cluster")["cluster"]["settings"]


def test_passwords_of_databases_are_rotated() -> None:
    assert definition("database", workload="flights")["rotation_days"] <= 90


@pytest.mark.parametrize("file", ["serving/Dockerfile", "include/training/Dockerfile"])
def test_every_base_image_is_pinned_by_digest(file: str) -> None:
    text = (ROOT / file).read_text()
    assert re.search(r"^ARG PYTHON_IMAGE=\S+@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_the_service_has_a_health_check() -> None:
    assert re.search(r"^HEALTHCHECK ", (ROOT / "serving" / "Dockerfile").read_text(), re.MULTILINE)
