"""A model is promoted between two accounts (two local clouds) by digest."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConflictError
from include.lake import layout, resources
from include.pipelines.promotion.packages import read_packages
from infra.delivery.command import DeliveryError
from infra.delivery.promote_model import promote
from infra.delivery.registry import ModelAccount
from infra.package.tree import ROOT
from tests.support.localcloud import Cloud, base_config, running_cloud
from tests.support.packages import metadata_of

pytestmark = pytest.mark.stack
BODIES = {"bundle": b"a bundle", "evaluation": b"{}", "decision": b'{"promote": true}'}
KINDS = ["application/json"]
DEV, PROD = "dev-artifact", "prod-artifact"


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, Cloud]]:
    folders = [tmp_path_factory.mktemp(name) for name in ("dev", "prod")]
    with running_cloud(folders[0], base_config()) as dev, running_cloud(folders[1], base_config()) as prod:
        dev.client("s3").create_bucket(Bucket=DEV)
        prod.client("s3").create_bucket(Bucket=PROD)
        yield dev, prod


def account(name: str, cloud: Cloud) -> ModelAccount:
    return ModelAccount(name, cloud.client("sagemaker"), cloud.client("s3"))


class Accounts:
    """A workload of its own in both accounts."""

    def __init__(self, clouds: tuple[Cloud, Cloud], workload: str) -> None:
        self.workload = workload
        self.dev, self.prod = account("source", clouds[0]), account("target", clouds[1])
        for side in (self.dev, self.prod):
            side.sagemaker.create_model_package_group(ModelPackageGroupName=resources.model_group(workload))

    def register(self, status: str = "Approved", **metadata: str) -> int:
        """Registers a version at the source, whose files are there."""
        bodies = {name: f"{self.workload} ".encode() + body for name, body in BODIES.items()}
        for name, body in bodies.items():
            self.dev.s3.put_object(Bucket=DEV, Key=f"{self.workload}/{name}", Body=body)
        sha256 = {name: hashlib.sha256(body).hexdigest() for name, body in bodies.items()}
        texts = metadata_of(
            workload=self.workload,
            champion="7",
            auc_difference="0.010000",
            data_cutoff="2013-06-20T00:00:00Z",
            bundle_digest=sha256["bundle"],
            evaluation_sha256=sha256["evaluation"],
            decision_sha256=sha256["decision"],
            **{f"{name}_uri": f"s3://{DEV}/{self.workload}/{name}" for name in bodies},
        )
        arn = self.dev.sagemaker.create_model_package(
            ModelPackageGroupName=resources.model_group(self.workload),
            InferenceSpecification={
                "Containers": [{"Image": "serving:1", "ModelDataUrl": texts["bundle_uri"]}],
                "SupportedContentTypes": KINDS,
                "SupportedResponseMIMETypes": KINDS,
            },
            ModelApprovalStatus=status,
            CustomerMetadataProperties={**texts, **metadata},
        )["ModelPackageArn"]
        return int(arn.rsplit("/", 1)[1])

    def promote(self, version: int, **options: Any) -> Any:
        return promote(self.dev, self.prod, self.workload, version, bucket=PROD, **options)


@pytest.fixture
def accounts(clouds: tuple[Cloud, Cloud], request: pytest.FixtureRequest) -> Accounts:
    return Accounts(clouds, "w" + hashlib.sha256(request.node.name.encode()).hexdigest()[:10])


def test_the_same_bytes_are_registered_with_where_they_came_from(accounts: Accounts) -> None:
    made = accounts.promote(accounts.register())
    assert made["ModelApprovalStatus"] == "PendingManualApproval"
    metadata = made["CustomerMetadataProperties"]
    prefix = f"s3://{PROD}/jobs/{accounts.workload}/promoted/{metadata['bundle_digest']}/"
    assert metadata["bundle_uri"] == f"{prefix}bundle.tar.gz"
    assert made["InferenceSpecification"]["Containers"][0]["ModelDataUrl"] == metadata["bundle_uri"]
    for name, digest in (("bundle", "bundle_digest"), ("evaluation", "evaluation_sha256")):
        assert accounts.prod.read(metadata[f"{name}_uri"], metadata[digest]).endswith(BODIES[name])
    assert metadata["source_package"].endswith(f"{resources.model_group(accounts.workload)}/1")
    # A version of the other registry would be taken for one of this one.
    assert (metadata["champion"], metadata["source_champion"]) == ("none", "7")
    assert read_packages([made])[0].metadata["data_cutoff"] == "2013-06-20T00:00:00Z"


def test_it_is_registered_once_and_approved_when_asked(accounts: Accounts) -> None:
    version = accounts.register()
    first, second = accounts.promote(version), accounts.promote(version, status="Approved")
    assert first["ModelPackageArn"] == second["ModelPackageArn"]
    assert len(accounts.prod.packages(accounts.workload)) == 1
    assert accounts.prod.package(accounts.workload, 1)["ModelApprovalStatus"] == "Approved"


def test_what_was_rejected_at_the_target_is_not_approved_again(accounts: Accounts) -> None:
    version = accounts.register()
    made = accounts.promote(version)
    accounts.prod.set_status(made["ModelPackageArn"], "Rejected", "its deploy failed")
    assert accounts.promote(version, status="Approved")["ModelApprovalStatus"] == "Rejected"


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_version_that_is_not_approved_is_refused(accounts: Accounts, status: str) -> None:
    with pytest.raises(DeliveryError, match=rf"Version 1 .* is {status}"):
        accounts.promote(accounts.register(status))
    assert accounts.prod.packages(accounts.workload) == []


@pytest.mark.parametrize("digest", ["bundle_digest", "evaluation_sha256", "decision_sha256"])
def test_a_file_with_another_digest_is_refused_and_nothing_is_registered(accounts: Accounts, digest: str) -> None:
    with pytest.raises(DeliveryError, match="but the registry records 0000"):
        accounts.promote(accounts.register(**{digest: "0" * 64}))
    assert accounts.prod.packages(accounts.workload) == []


def test_another_file_at_the_target_is_refused(accounts: Accounts) -> None:
    version = accounts.register()
    digest = accounts.dev.package(accounts.workload, version)["CustomerMetadataProperties"]["bundle_digest"]
    key = layout.job_prefix(accounts.workload, "promoted", digest) + layout.BUNDLE_FILE
    accounts.prod.s3.put_object(Bucket=PROD, Key=key, Body=b"another")
    with pytest.raises(ConflictError, match="exists with another content"):
        accounts.promote(version)
    assert accounts.prod.packages(accounts.workload) == []


def test_a_missing_file_version_or_workload_is_named(accounts: Accounts) -> None:
    version = accounts.register(decision_uri=f"s3://{DEV}/nothing")
    with pytest.raises(DeliveryError, match=f"s3://{DEV}/nothing of the source account does not exist"):
        accounts.promote(version)
    with pytest.raises(DeliveryError, match=r"no version 9 of .* Versions: 1"):
        accounts.promote(9)
    accounts.prod.sagemaker.delete_model_package_group(ModelPackageGroupName=resources.model_group(accounts.workload))
    with pytest.raises(DeliveryError, match="target account has no model package group"):
        accounts.promote(version)


def test_a_version_that_no_retrain_run_registered_is_refused(accounts: Accounts) -> None:
    arn = accounts.dev.sagemaker.create_model_package(
        ModelPackageGroupName=resources.model_group(accounts.workload), ModelApprovalStatus="Approved"
    )["ModelPackageArn"]
    with pytest.raises(DeliveryError, match="lacks the metadata"):
        accounts.promote(int(arn.rsplit("/", 1)[1]))


def test_the_command_uses_a_profile_of_each_account(
    accounts: Accounts, clouds: tuple[Cloud, Cloud], tmp_path: Path
) -> None:
    version = accounts.register()
    profiles = [
        f"[profile {name}]\nendpoint_url = {cloud.endpoint}\nregion = us-east-1\n"
        + "".join(f"{key} = {value}\n" for key, value in cloud.operator.items())
        for name, cloud in zip(("dev", "prod"), clouds, strict=True)
    ]
    (tmp_path / "config").write_text("\n".join(profiles))
    written = tmp_path / "version"
    done = subprocess.run(
        [
            sys.executable, "-m", "infra.delivery.promote_model", f"--workload={accounts.workload}",
            f"--version={version}", f"--artifact-bucket={PROD}", "--approve", f"--version-file={written}",
            "--source-profile=dev", "--target-profile=prod",
        ],
        cwd=ROOT, env={"AWS_CONFIG_FILE": str(tmp_path / "config"), "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Approved" in done.stdout and written.read_text() == "1\n"
