"""Settings: read from the environment, validated as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from include.settings import SettingsError, settings
from tests.support.product_settings import product_settings

GOOD = product_settings().to_env()


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of this process, and no cached one."""
    for name in GOOD:
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def set_all(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in {**GOOD, **changes}.items():
        monkeypatch.setenv(name, value)


def test_what_is_written_to_an_environment_is_read_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, NIGHTJAR_POLL_SECONDS="7", NIGHTJAR_HOME="/somewhere/else")
    assert settings() == product_settings(poll_seconds="7")
    assert settings().poll_seconds == 7


def test_blanks_around_a_value_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, NIGHTJAR_LAKE_BUCKET=" lake ")
    assert settings().lake_bucket == "lake"


def test_every_wrong_variable_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, NIGHTJAR_REGION="mars", NIGHTJAR_POLL_SECONDS="soon")
    monkeypatch.delenv("NIGHTJAR_LAKE_BUCKET")
    with pytest.raises(SettingsError) as caught:
        settings()
    text = str(caught.value)
    assert "Set these environment variables" in text
    named = {line.split(":")[0].strip() for line in text.splitlines()[1:]}
    assert named == {"NIGHTJAR_REGION", "NIGHTJAR_POLL_SECONDS", "NIGHTJAR_LAKE_BUCKET"}


def test_raw_is_a_bucket_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, NIGHTJAR_LAKE_BUCKET=GOOD["NIGHTJAR_RAW_BUCKET"])
    with pytest.raises(SettingsError, match=r"NIGHTJAR_LAKE_BUCKET: .*like NIGHTJAR_RAW_BUCKET. Name two buckets"):
        settings()


def test_settings_do_not_change() -> None:
    frozen: Any = product_settings()
    with pytest.raises(ValidationError, match="frozen"):
        frozen.region = "eu-west-1"
