"""Terraform's variable for what was built, for what runs, and for what to go back to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.delivery import describe_release, plan, restore_release, select_release
from infra.delivery.build_images import DIGESTS
from infra.delivery.command import DeliveryError
from infra.delivery.upload import upload
from infra.package.release import ReleaseError
from tests.support.moto_cloud import ARTIFACT, MotoCloud
from tests.support.mwaa_gateway import MwaaGateway
from tests.support.releases import CODE_SHA, REFERENCES, small_release

DIGEST = f"sha256:{'0' * 64}"
BUCKET = "nj-mwaa"


def test_what_was_built_is_described_as_it_will_be_pushed(tmp_path: Path) -> None:
    small_release(tmp_path / "dist" / CODE_SHA)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / DIGESTS).write_text(json.dumps({"serving": DIGEST, "training": DIGEST}))
    options = [f"--release={tmp_path / 'dist'}", f"--images={tmp_path / 'images'}", f"--tfvars={tmp_path / 'out'}"]
    given = describe_release.parser().parse_args([*options, "--account=123456789012", "--region=eu-west-1"])
    describe_release.main(given)
    written = json.loads((tmp_path / "out").read_text())["release"]
    assert written["serving_image"] == f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/nightjar/serving@{DIGEST}"
    small_release(tmp_path / "dist" / "another")
    with pytest.raises(ReleaseError, match="has 2 releases"):
        describe_release.main(given)


@pytest.fixture
def uploaded(cloud: MotoCloud, tmp_path: Path) -> dict[str, Any]:
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    return upload(cloud.client("s3"), small_release(tmp_path / "release"), BUCKET, ARTIFACT, REFERENCES)


@pytest.mark.parametrize(
    ("path", "option", "code_sha"),
    [
        (f"releases/{CODE_SHA}/dags", [], CODE_SHA),
        ("releases/other/dags", [f"--code-sha={CODE_SHA}"], CODE_SHA),
        ("dags", [], None),
        ("", [], None),
    ],
)
def test_the_running_release_is_selected_unless_another_one_is_named(
    cloud: MotoCloud,
    uploaded: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    option: list[str],
    code_sha: str | None,
) -> None:
    gateway = MwaaGateway(None)
    gateway.environment = {**gateway.environment, "DagS3Path": path} if path else {}
    file = tmp_path / "selected"
    with gateway.client() as client:
        clients = {"s3": cloud.client("s3"), "mwaa": client}
        account = type("Account", (), {"client": lambda self, service: clients[service]})
        monkeypatch.setattr(select_release.aws, "account", lambda given: account())
        options = [f"--mwaa-bucket={BUCKET}", f"--tfvars={file}", *option]
        select_release.main(select_release.parser().parse_args(options))
    assert json.loads(file.read_text()) == (uploaded if code_sha else {"release": None})


def restored(tmp_path: Path, previous: dict[str, Any]) -> dict[str, Any]:
    (tmp_path / "previous").write_text(json.dumps(previous))
    (tmp_path / "tfvars").write_text('{"release": {"code_sha": "failed"}}')
    options = [f"--previous={tmp_path / 'previous'}", f"--tfvars={tmp_path / 'tfvars'}"]
    restore_release.main(restore_release.parser().parse_args(options))
    written: dict[str, Any] = json.loads((tmp_path / "tfvars").read_text())
    return written


def test_the_release_before_is_put_back_unless_there_was_none(tmp_path: Path) -> None:
    assert restored(tmp_path, {"release": {"code_sha": "before"}})["release"]["code_sha"] == "before"
    # Without a release, Terraform would delete the environment.
    assert restored(tmp_path, {"release": None})["release"]["code_sha"] == "failed"


def test_only_the_approved_plan_is_applied() -> None:
    plan.check_same(["a: create", "b: update"], ["b: update", "a: create"])
    with pytest.raises(
        DeliveryError, match=r"(?s)Nothing was applied.*not approved: a: delete\napproved, but.*a: create"
    ):
        plan.check_same(["a: delete"], ["a: create"])
