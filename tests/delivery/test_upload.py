"""A release is uploaded once, and found again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from include.errors import ConflictError
from infra.delivery import tfvars
from infra.delivery.command import DeliveryError
from infra.delivery.select_release import recorded
from infra.delivery.upload import upload
from tests.support.moto_cloud import ARTIFACT, MotoCloud
from tests.support.releases import CODE_SHA, REFERENCES, small_release

MWAA = "nj-mwaa"


@pytest.fixture
def s3(cloud: MotoCloud) -> object:
    client = cloud.client("s3")
    client.create_bucket(Bucket=MWAA)
    return client


def test_each_part_goes_to_its_bucket_and_the_record_is_terraforms_variable(
    cloud: MotoCloud, s3: object, tmp_path: Path
) -> None:
    for _ in range(2):  # the same release may be uploaded again
        content = upload(s3, small_release(tmp_path), MWAA, ARTIFACT, REFERENCES)
    assert cloud.keys("", ARTIFACT) == [f"code/{CODE_SHA}/transform.py"]
    names = ["dags/deploy.py", "plugins.zip", "release.auto.tfvars.json", "release.json", "requirements.txt"]
    assert cloud.keys("", MWAA) == [f"releases/{CODE_SHA}/{name}" for name in names]
    assert recorded(s3, MWAA, CODE_SHA) == content
    assert content["release"] == {
        "code_sha": CODE_SHA,
        "serving_image": REFERENCES["serving"],
        "training_image": REFERENCES["training"],
        "plugins_key": f"releases/{CODE_SHA}/plugins.zip",
        "requirements_key": f"releases/{CODE_SHA}/requirements.txt",
        "dags_path": f"releases/{CODE_SHA}/dags",
    }
    tfvars.write(tmp_path / "release.auto.tfvars.json", content)
    assert json.loads((tmp_path / "release.auto.tfvars.json").read_text()) == content


def test_the_variables_are_those_that_terraform_declares() -> None:
    file = tfvars.DEFAULT_FILE.with_name("variables.tf")
    if not file.is_file():
        pytest.skip("infra/terraform/variables.tf is not there yet")
    declared = file.read_text().split('variable "release"')[1].split("\nvariable ")[0]
    for name in tfvars.variables(CODE_SHA, REFERENCES)["release"]:
        assert f" {name} " in declared


def test_another_content_under_the_same_sha_is_refused_and_leaves_no_record(s3: object, tmp_path: Path) -> None:
    upload(s3, small_release(tmp_path / "a"), MWAA, ARTIFACT, REFERENCES)
    with pytest.raises(ConflictError, match=rf"s3://{MWAA}/releases/{CODE_SHA}/plugins.zip exists"):
        upload(s3, small_release(tmp_path / "b", plugins=b"others"), MWAA, ARTIFACT, REFERENCES)


def test_other_images_under_the_same_sha_are_refused(s3: object, tmp_path: Path) -> None:
    made = small_release(tmp_path)
    upload(s3, made, MWAA, ARTIFACT, REFERENCES)
    with pytest.raises(ConflictError, match=r"release\.auto\.tfvars\.json"):
        upload(s3, made, MWAA, ARTIFACT, {**REFERENCES, "serving": f"other@sha256:{'1' * 64}"})


def test_changes_that_are_not_committed_are_refused(cloud: MotoCloud, s3: object, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"not committed: M dags/deploy.py"):
        upload(s3, small_release(tmp_path, changed=("M dags/deploy.py",)), MWAA, ARTIFACT, REFERENCES)
    assert cloud.keys("", MWAA) == []


@pytest.mark.parametrize("image", ["", "repository:latest"])
def test_an_image_without_a_digest_is_refused(s3: object, tmp_path: Path, image: str) -> None:
    with pytest.raises(DeliveryError, match="is no digest of an image"):
        upload(s3, small_release(tmp_path), MWAA, ARTIFACT, {**REFERENCES, "serving": image})


def test_a_release_that_was_not_uploaded_completely_cannot_be_selected(
    cloud: MotoCloud, s3: object, tmp_path: Path
) -> None:
    upload(s3, small_release(tmp_path), MWAA, ARTIFACT, REFERENCES)
    cloud.client("s3").delete_object(Bucket=MWAA, Key=f"releases/{CODE_SHA}/{tfvars.TFVARS}")
    with pytest.raises(DeliveryError, match="no complete release"):
        recorded(s3, MWAA, CODE_SHA)
