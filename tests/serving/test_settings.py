from __future__ import annotations

import pytest

from serving.settings import Settings, SettingsError

GOOD = {"BUNDLE_URI": "s3://bucket/key", "BUNDLE_DIGEST": "a" * 64, "MODEL_VERSION": "7", "WORKLOAD": "texts"}


def test_defaults():
    settings = Settings.from_env({**GOOD, "UNRELATED": "1"})
    assert settings.port == 8080 and settings.max_batch == 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "") for name in GOOD),
        ("BUNDLE_URI", "https://bucket/key"),
        ("BUNDLE_URI", "s3://bucket"),
        ("BUNDLE_DIGEST", "A" * 64),
        ("PORT", "0"),
        ("MAX_BODY_BYTES", "-1"),
        ("MAX_BATCH", "ten"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str):
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({**GOOD, name: value})


def test_every_missing_variable_is_named():
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({})
    assert all(name in str(caught.value) for name in GOOD)
