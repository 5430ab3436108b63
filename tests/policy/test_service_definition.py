"""The definition of the service's tasks fits what the service does: its routes, its limits, its user."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.laptop.bootstrap.definitions import definition
from serving.routes import ROUTES
from serving.settings import Settings

ROOT = Path(__file__).parents[2]
EXIT_SECONDS = 7  # what a worker and its supervisor take after the last request (docs/deployment.md)


def container() -> dict[str, Any]:
    """The service's container."""
    names = {"workload": "rides", "serving_image": "image", "cpu": "512", "memory": "1024", "workers": "1"}
    task = definition("service", **names)["task_definition"]
    (found,) = task["containerDefinitions"]
    return {**found, "volumes": [volume["name"] for volume in task["volumes"]]}


def problems(found: dict[str, Any]) -> list[str]:
    """What would let a task do more than serve, or end it too early."""
    wrong = []
    if found.get("user") in (None, "0", "root"):
        wrong.append("it runs as root")
    if not found.get("readonlyRootFilesystem"):
        wrong.append("its root filesystem is writable")
    writable = {
        mount["containerPath"] for mount in found.get("mountPoints", []) if mount["sourceVolume"] in found["volumes"]
    }
    if writable != {"/tmp"}:
        wrong.append("it has not exactly /tmp to write to")
    if found.get("linuxParameters", {}).get("capabilities", {}).get("drop") != ["ALL"]:
        wrong.append("it keeps capabilities")
    if found.get("stopTimeout", 0) < Settings.model_fields["shutdown_seconds"].default + EXIT_SECONDS:
        wrong.append("it is killed before it has ended its requests")
    return wrong


def test_a_task_may_do_no_more_than_serve() -> None:
    assert problems(container()) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"user": "0"}, "it runs as root"),
        ({"readonlyRootFilesystem": False}, "its root filesystem is writable"),
        ({"mountPoints": []}, "it has not exactly /tmp to write to"),
        ({"linuxParameters": {}}, "it keeps capabilities"),
        ({"stopTimeout": 26}, "it is killed before it has ended its requests"),
    ],
)
def test_a_task_that_may_do_more_is_found(change: dict[str, Any], problem: str) -> None:
    assert problems(container() | change) == [problem]


def test_the_public_routes_are_those_of_the_service() -> None:
    assert sorted(definition("cluster")["public_routes"]) == sorted(route.path for route in ROUTES if route.public)


def test_the_user_is_the_images() -> None:
    (user,) = re.findall(r"^USER (\d+):", (ROOT / "serving" / "Dockerfile").read_text(), re.MULTILINE)
    assert container()["user"] == user


def test_what_the_task_mounts_is_a_volume_of_the_image() -> None:
    """Otherwise Fargate would mount it as root's, and the service could not write."""
    declared = re.findall(r"^VOLUME (.*)$", (ROOT / "serving" / "Dockerfile").read_text(), re.MULTILINE)
    assert [json.loads(text) for text in declared] == [[mount["containerPath"] for mount in container()["mountPoints"]]]


def test_every_variable_is_a_setting_and_the_limit_of_bodies_is_a_power_of_ten() -> None:
    environment = {variable["name"]: variable["value"] for variable in container()["environment"]}
    assert {name.lower() for name in environment} <= set(Settings.model_fields)
    assert re.fullmatch("10+", environment["MAX_BODY_BYTES"])
