from __future__ import annotations

import pytest
from pydantic import ValidationError

from serving.settings import Settings, SettingsError

GOOD = {"BUNDLE_URI": "s3://bucket/key", "BUNDLE_DIGEST": "a" * 64, "MODEL_VERSION": "7", "WORKLOAD": "texts"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with the four required variables and no other of the service's."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_defaults(environment: pytest.MonkeyPatch):
    environment.setenv("UNRELATED", "1")
    settings = Settings.from_env()
    assert settings.port == 8080 and settings.max_batch == 1000 and settings.workload == "texts"


def test_settings_cannot_be_changed():
    settings = Settings.from_env()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # what the test is about


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "") for name in GOOD),
        ("WORKLOAD", "  "),
        ("BUNDLE_URI", "https://bucket/key"),
        ("BUNDLE_URI", "s3://bucket"),
        ("BUNDLE_DIGEST", "A" * 64),
        ("PORT", "0"),
        ("INTERNAL_PORT", "8080"),
        ("MAX_BODY_BYTES", "-1"),
        ("MAX_BATCH", "ten"),
        ("REDIS_URL", "127.0.0.1"),
        ("REDIS_URL", "redis://127.0.0.1:port"),
        ("PREDICTION_LOG", "s3://bucket"),
    ],
)
def test_a_wrong_variable_is_named(environment: pytest.MonkeyPatch, name: str, value: str):
    environment.setenv(name, value)
    with pytest.raises(SettingsError, match=name):
        Settings.from_env()


def test_a_bundle_in_a_file_is_served_in_development_only(environment: pytest.MonkeyPatch):
    environment.setenv("BUNDLE_URI", "file:///tmp/bundle.tar.gz")
    with pytest.raises(SettingsError, match="DEVELOPMENT"):
        Settings.from_env()
    environment.setenv("DEVELOPMENT", "true")
    assert Settings.from_env().bundle_uri == "file:///tmp/bundle.tar.gz"


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"REDIS_IAM_CACHE": "nightjar"}, "REDIS_IAM_CACHE and REDIS_IAM_USER, or neither"),
        ({"REDIS_IAM_USER": "nightjar-rides"}, "REDIS_IAM_CACHE and REDIS_IAM_USER, or neither"),
        ({"REDIS_IAM_CACHE": "nightjar", "REDIS_IAM_USER": "u", "REDIS_URL": "redis://cache:6379"}, "rediss://"),
        ({"REDIS_IAM_CACHE": "nightjar", "REDIS_IAM_USER": "u"}, "rediss://"),
        (
            {"REDIS_IAM_CACHE": "nightjar", "REDIS_IAM_USER": "u", "REDIS_URL": "rediss://:p@cache:6379"},
            "no user or password",
        ),
    ],
)
def test_iam_needs_cache_user_and_tls(environment: pytest.MonkeyPatch, variables: dict[str, str], problem: str):
    for name, value in variables.items():
        environment.setenv(name, value)
    with pytest.raises(SettingsError, match=problem):
        Settings.from_env()


def test_a_cache_with_iam(environment: pytest.MonkeyPatch):
    environment.setenv("REDIS_URL", "rediss://cache:6379")
    environment.setenv("REDIS_IAM_CACHE", "nightjar")
    environment.setenv("REDIS_IAM_USER", "nightjar-rides")
    assert Settings.from_env().redis_iam_user == "nightjar-rides"


def test_an_empty_optional_variable_counts_as_unset(environment: pytest.MonkeyPatch):
    environment.setenv("INTERNAL_PORT", "")
    environment.setenv("API_KEYS_SECRET", " ")
    settings = Settings.from_env()
    assert settings.internal_port is None and settings.api_keys_secret is None


def test_every_missing_variable_is_named(environment: pytest.MonkeyPatch):
    for name in GOOD:
        environment.delenv(name)
    with pytest.raises(SettingsError) as caught:
        Settings.from_env()
    assert all(name in str(caught.value) for name in GOOD)


def test_a_value_is_never_part_of_the_error(environment: pytest.MonkeyPatch):
    environment.setenv("REDIS_URL", "redis://:hunter2@127.0.0.1:port")
    with pytest.raises(SettingsError) as caught:
        Settings.from_env()
    assert "hunter2" not in str(caught.value)
