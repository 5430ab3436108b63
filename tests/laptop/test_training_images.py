"""The training images of the laptop: the one for GPUs is the same environment, which trains on the CPU."""

from __future__ import annotations

from infra.laptop import cloud
from infra.laptop.bootstrap import settings
from infra.laptop.config import LaptopConfig
from infra.laptop.provision import variables
from infra.package.build import Build

BUILD = Build("a" * 40, "", "2026-01-02T03:04:05+00:00", "a" * 12, "hash")


def test_the_image_for_gpus_is_known_to_the_cloud_and_runs_as_the_other() -> None:
    images = cloud.settings(LaptopConfig())["images"]
    configured = settings()
    assert configured.training_gpu_image != configured.training_image
    assert images[configured.training_gpu_image] == images[configured.training_image]


def test_terraform_gets_the_same_images() -> None:
    release = variables(BUILD, {}, LaptopConfig())["release"]
    assert isinstance(release, dict)
    assert release["training_gpu_image"] == settings().training_gpu_image
    assert release["training_image"] == settings().training_image
