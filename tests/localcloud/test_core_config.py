"""infra/localcloud/config.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.localcloud.config import Config, load
from infra.localcloud.errors import ConfigError, UnknownImageError


@pytest.fixture
def values(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "a.jar").touch()
    (tmp_path / "image").mkdir()
    return {
        "state": "state",
        "glue": {"python": sys.executable, "jars": ["a.jar"]},
        "images": {
            "serving:1": {"python": sys.executable, "cwd": "image", "env": {"N": 1}, "command": ["uvicorn", "app:app"]}
        },
    }


def read(tmp_path: Path, values: dict[str, Any]) -> Config:
    file = tmp_path / "cloud.yaml"
    file.write_text(yaml.safe_dump(values))
    return load(file)


def test_relative_paths_count_from_the_file_and_defaults_are_loopback(tmp_path: Path, values: dict[str, Any]) -> None:
    config = read(tmp_path, values)
    assert config.state == tmp_path / "state"
    assert config.glue.jars == (tmp_path / "a.jar",)
    assert (config.endpoint, config.account, config.glue.java_home) == ("http://127.0.0.1:4566", "123456789012", None)
    assert config.images["serving:1"].env == {"N": "1"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"host": "0.0.0.0"}, "`host` must be a loopback address"),
        ({"host": "localhost"}, "`host` must be a loopback address"),
        ({"port": 70000}, "`port` must be a port number between 1 and 65535, not 70000"),
        ({"port": "4566"}, "`port` must be a port number between 1 and 65535, not '4566'"),
        ({"account": 123456789012}, "`account` must be a string of 12 digits"),
        ({"workers": 0}, "`workers` must be a number of concurrent jobs, at least 1, not 0"),
        ({"colour": "red"}, "unknown field 'colour': the file has no such setting"),
        ({"glue": {"python": sys.executable, "jars": [], "x": 1}}, "unknown field 'x': `glue` has no such setting"),
        ({"glue": {"python": sys.executable, "jars": ["missing.jar"]}}, "`glue.jars` must be a path that exists"),
        ({"glue": {"python": "nowhere", "jars": []}}, "`glue.python` must be a path that exists"),
        (
            {"glue": {"python": sys.executable, "jars": [], "driver_memory": "lots"}},
            "`glue.driver_memory` must be a JVM size",
        ),
        ({"glue": None}, "`glue` must be given"),
        ({"images": {"x": {"cwd": "image"}}}, "`images.x.python` must be given"),
        ({"images": {"x": "python"}}, "`images.x` must be a mapping"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, values: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, values | change)
    assert message in str(caught.value)
    assert "cloud.yaml" in str(caught.value)


@pytest.mark.parametrize(("text", "message"), [(None, "cannot be read"), ("- a", "must be a mapping, not list")])
def test_a_file_that_is_absent_or_no_mapping_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "cloud.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=f"cloud.yaml.*{message}"):
        load(file)


def test_null_is_the_default(tmp_path: Path, values: dict[str, Any]) -> None:
    config = read(tmp_path, values | {"port": None, "images": None, "caddy": None})
    assert (config.port, config.images, config.caddy) == (4566, {}, None)


def test_commands_get_the_image_s_interpreter_and_the_address(tmp_path: Path, values: dict[str, Any]) -> None:
    image = read(tmp_path, values).image("serving:1")
    assert image.argv() == [sys.executable, "-m", "uvicorn", "app:app"]
    assert image.argv(["python", "-m", "x", "{host}:{port}"], host="127.0.0.2", port=8080)[1:] == [
        "-m",
        "x",
        "127.0.0.2:8080",
    ]
    assert image.argv(["/bin/true"]) == ["/bin/true"]


def test_an_unknown_image_lists_the_known_ones(tmp_path: Path, values: dict[str, Any]) -> None:
    with pytest.raises(UnknownImageError, match=r"'serving:2'.*serving:1"):
        read(tmp_path, values).image("serving:2")
