"""Writes the card of a version to the artifact bucket."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from include.lake.uris import s3_uri
from include.pipelines.card.facts import CardFacts
from include.pipelines.card.page import card_page
from include.pipelines.promotion.packages import CardMetadata
from include.pipelines.protocols import ObjectStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredCard:
    """A card in S3.

    Attributes:
        uri: Its URI.
        sha256: Its sha256.
    """

    uri: str
    sha256: str

    @property
    def metadata(self) -> CardMetadata:
        """The entries of the version's metadata."""
        return {"card_uri": self.uri, "card_sha256": self.sha256}


def store_card(facts: CardFacts, bucket: str, key: str, objects: ObjectStore) -> StoredCard | None:
    """Writes the card.

    A card that cannot be made is no reason to stop a night: the log says why, and the version has no card.

    Args:
        facts: What is known of the version.
        bucket: The artifact bucket.
        key: The card's key.
        objects: S3.
    """
    try:
        page = card_page(facts).encode()
    except (ArithmeticError, LookupError, TypeError, ValueError):
        log.exception(
            "The model card of version %s could not be made, so it has none. The evaluation is at %s.",
            facts.package.version,
            facts.package.metadata["evaluation_uri"],
        )
        return None
    objects.put(bucket, key, page)
    return StoredCard(s3_uri(bucket, key), hashlib.sha256(page).hexdigest())
