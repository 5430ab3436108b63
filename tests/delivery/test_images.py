"""Images are built once and pushed by their digest: how docker, skopeo and cosign are called. None of them is here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.delivery import build_images, describe_release, images, programs, push_images, scan_images, tfvars
from infra.delivery.command import DeliveryError
from infra.delivery.images import IMAGES
from infra.package.build import Build
from infra.package.tree import ROOT
from tests.support.fake_programs import FakePrograms
from tests.support.moto_cloud import MotoCloud
from tests.support.tiny_workload import document, tiny_workload

BUILD = Build("a" * 40, "", "2026-01-02T03:04:05+00:00", "a" * 12, "hash")
DIGEST = f"sha256:{'1' * 64}"
OTHER = f"sha256:{'2' * 64}"


def test_the_call_of_docker_has_what_makes_a_build_the_same_each_time(tmp_path: Path) -> None:
    call = build_images.build_command(IMAGES[0], BUILD, "https://example.org/nightjar", tmp_path)
    assert call[:3] == ["docker", "buildx", "build"] and call[-1] == "."
    assert {"--file=serving/Dockerfile", "--build-arg=SOURCE_DATE_EPOCH=1767323045"} <= set(call)
    assert {f"--build-arg=REVISION={'a' * 40}", "--build-arg=SOURCE=https://example.org/nightjar"} <= set(call)
    assert f"--output=type=oci,dest={tmp_path}/serving.tar,rewrite-timestamp=true" in call
    assert "--provenance=false" in call  # else the archive holds an index
    with pytest.raises(DeliveryError, match="no commit"):
        build_images.build_command(IMAGES[0], Build("0" * 40, "x", "", "0", "h"), "", tmp_path)


def test_the_dockerfiles_exist() -> None:
    assert all((ROOT / image.dockerfile).is_file() for image in IMAGES)


def test_the_digests_are_read_from_what_buildx_writes(tmp_path: Path, programs: FakePrograms) -> None:
    content = json.dumps({"containerimage.digest": DIGEST})
    programs.add("docker", {"when": ["buildx"], "writes": {"--metadata-file=": content}})
    given = build_images.parser().parse_args([f"--out={tmp_path / 'out'}"])
    build_images.main(given)
    assert images.read(tmp_path / "out" / build_images.DIGESTS) == {"serving": DIGEST, "training": DIGEST}
    assert len(programs.calls("docker")) == 2


def test_a_release_has_the_image_for_gpus_only_where_a_workload_is_trained_on_one(tmp_path: Path) -> None:
    cpu = tiny_workload(tmp_path / "cpu", jobs={"training": {"instance_type": "ml.m5.4xlarge"}})
    model = {**document()["model"], "kind": "xgboost", "hyperparameters": {}}
    gpu = tiny_workload(tmp_path / "gpu", jobs={"training": {"instance_type": "ml.g5.xlarge"}}, model=model)
    assert [image.name for image in images.wanted([cpu])] == ["serving", "training"]
    wanted = images.wanted([cpu, gpu])
    assert [image.name for image in wanted] == ["serving", "training", "training-gpu"]
    call = build_images.build_command(wanted[2], BUILD, "", tmp_path)
    assert "--build-arg=REQUIREMENTS=training-gpu" in call and "--file=include/training/Dockerfile" in call
    assert (ROOT / "requirements" / f"{wanted[2].arguments['REQUIREMENTS']}.txt").is_file()


def test_the_image_for_gpus_has_a_tag_of_its_own_in_the_repository_of_training() -> None:
    digests = {"serving": DIGEST, "training": DIGEST, "training-gpu": OTHER}
    assert [image.variable for image in images.named(digests)][2] == "training_gpu_image"
    found = describe_release.references(digests, "123456789012", "us-east-1")
    assert found["training-gpu"] == f"123456789012.dkr.ecr.us-east-1.amazonaws.com/nightjar/training@{OTHER}"
    tags = {(image.repository, "tag" + image.tag_suffix) for image in IMAGES}
    assert len(tags) == len(IMAGES)
    release = tfvars.variables("a" * 12, found)["release"]
    assert release["training_gpu_image"] == found["training-gpu"]
    without = {name: reference for name, reference in found.items() if name != "training-gpu"}
    assert "training_gpu_image" not in tfvars.variables("a" * 12, without)["release"]


def pinned(name: str) -> dict[str, str]:
    """Package → version in a lock file."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def test_the_two_training_images_differ_in_the_package_of_xgboost_only() -> None:
    cpu, gpu, serving = pinned("training"), pinned("training-gpu"), pinned("serving")
    assert cpu.keys() - gpu.keys() == {"xgboost-cpu"}
    assert gpu.keys() - cpu.keys() == {"xgboost-cu12", "nvidia-nccl-cu12"}
    assert all(gpu[name] == cpu[name] for name in gpu.keys() & cpu.keys())
    assert gpu["xgboost-cu12"] == cpu["xgboost-cpu"] == serving["xgboost-cpu"], "a model is read by what wrote it"


@pytest.mark.parametrize("content", ["{}", "no json", '{"containerimage.digest": "latest"}'])
def test_metadata_without_a_digest_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "metadata.json").write_text(content)
    with pytest.raises(DeliveryError, match="digest"):
        build_images.digest_of(tmp_path / "metadata.json")


def test_a_failed_and_a_missing_program_are_named(tmp_path: Path, programs: FakePrograms) -> None:
    programs.add("docker", {"when": [], "code": 3})
    with pytest.raises(DeliveryError, match=r"docker buildx build .* ended with 3"):
        build_images.main(build_images.parser().parse_args([f"--out={tmp_path}"]))


def test_a_program_that_is_not_installed_is_named() -> None:
    with pytest.raises(DeliveryError, match="no-such-program is not on the PATH"):
        programs.run(["no-such-program"])


class Ecr:
    """ECR with one tag a repository; skopeo pushes ``pushes`` to it."""

    class exceptions:  # noqa: N801 - boto3's name
        class ImageNotFoundException(Exception):  # noqa: N818
            """As boto3's."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)

    def describe_images(self, **_: Any) -> Any:
        digest = self.answers.pop(0)
        if digest is None:
            raise self.exceptions.ImageNotFoundException
        return {"imageDetails": [{"imageDigest": digest}]}


def push(ecr: Ecr, tmp_path: Path) -> str:
    return push_images.push(ecr, "registry", IMAGES[0], tmp_path, DIGEST, "tag")


def test_an_image_is_pushed_once_and_named_by_its_digest(tmp_path: Path, programs: FakePrograms) -> None:
    programs.add("skopeo", {"when": []})
    assert push(Ecr(None, DIGEST), tmp_path) == push(Ecr(DIGEST), tmp_path) == f"registry/nightjar/serving@{DIGEST}"
    source, target = f"oci-archive:{tmp_path}/serving.tar", "docker://registry/nightjar/serving:tag"
    assert programs.calls("skopeo") == [["copy", "--preserve-digests", source, target]]


@pytest.mark.parametrize("answers", [(OTHER,), (None, OTHER), (None, None)])
def test_a_tag_of_another_digest_is_refused(
    tmp_path: Path, programs: FakePrograms, answers: tuple[str | None, ...]
) -> None:
    programs.add("skopeo", {"when": []})
    with pytest.raises(DeliveryError, match="A tag is never replaced"):
        push(Ecr(*answers), tmp_path)


def test_the_password_is_given_to_docker_and_not_on_its_command_line(cloud: MotoCloud, programs: FakePrograms) -> None:
    programs.add("docker", {"when": []})
    registry = push_images.log_in(cloud.client("ecr"))
    assert programs.calls("docker") == [["login", "--username=AWS", "--password-stdin", registry]]
    assert programs.given("docker")[0] and "https" not in registry


def test_a_signature_is_verified_against_the_workflows_identity(programs: FakePrograms) -> None:
    programs.add("cosign", {"when": ["verify"], "code": 1}, {"when": []})
    with pytest.raises(DeliveryError, match="cosign verify"):
        push_images.sign(f"registry/a@{DIGEST}", "https://github.com/o/r/.github/workflows/release.yml@refs/heads/main")
    signed, verified = programs.calls("cosign")
    assert signed == ["sign", "--yes", f"registry/a@{DIGEST}"]
    assert "--certificate-identity=https://github.com/o/r/.github/workflows/release.yml@refs/heads/main" in verified
    assert "--certificate-oidc-issuer=https://token.actions.githubusercontent.com" in verified


class Scans:
    """ECR's answers about a scan, one after the other."""

    class exceptions:  # noqa: N801 - boto3's name
        class ScanNotFoundException(Exception):  # noqa: N818
            """As boto3's."""

    def __init__(self, *states: str | None, **counts: int) -> None:
        self.states, self.counts = list(states), counts

    def describe_image_scan_findings(self, **_: Any) -> Any:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state is None:
            raise self.exceptions.ScanNotFoundException
        found = {"imageScanFindings": {"findingSeverityCounts": self.counts}} if state == "COMPLETE" else {}
        return {"imageScanStatus": {"status": state}, **found}


def findings(ecr: Scans, timeout: float = 60) -> dict[str, int]:
    return scan_images.findings(ecr, "nightjar/serving", DIGEST, timeout=timeout, poll_seconds=0.01)


def test_a_scan_is_awaited() -> None:
    assert findings(Scans(None, "IN_PROGRESS", "COMPLETE", HIGH=2)) == {"HIGH": 2}
    with pytest.raises(DeliveryError, match="is FAILED"):
        findings(Scans("FAILED"))
    with pytest.raises(DeliveryError, match="scan on push"):
        findings(Scans(None), timeout=0.05)


def test_a_severity_and_the_worse_ones_are_refused() -> None:
    counts = {"CRITICAL": 1, "HIGH": 2, "LOW": 9}
    assert scan_images.refused(counts, "CRITICAL") == {"CRITICAL": 1}
    assert scan_images.refused(counts, "HIGH") == {"CRITICAL": 1, "HIGH": 2}
    assert scan_images.refused({"HIGH": 2}, "CRITICAL") == {}
