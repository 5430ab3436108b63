"""Settings of the product whose buckets are those of the moto cloud."""

from __future__ import annotations

from include.settings import Settings
from tests.support.moto_cloud import ARTIFACT, LAKE, RAW, STATE


def product_settings(**changes: str) -> Settings:
    """Returns valid settings; ``changes`` replaces some of them."""
    values = {
        "raw_bucket": RAW,
        "lake_bucket": LAKE,
        "artifact_bucket": ARTIFACT,
        "state_table": STATE,
        "training_image": "training:1",
        "training_role_arn": "arn:aws:iam::123456789012:role/training",
        "serving_image": "serving:1",
        "alerts_topic_arn": "arn:aws:sns:us-east-1:123456789012:alerts",
    }
    return Settings.model_validate({**values, **changes})
