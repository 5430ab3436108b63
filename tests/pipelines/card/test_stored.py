"""A card in the artifact bucket."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from include.pipelines.card import card_page, store_card
from tests.support.evaluations import card_facts, evaluation
from tests.support.retrain_runs import Objects


def test_a_card_is_stored_with_its_digest() -> None:
    objects, facts = Objects(), card_facts()
    card = store_card(facts, "artifact", "cards/flights/e.html", objects)
    assert card is not None
    body = objects.bodies["artifact", "cards/flights/e.html"]
    assert body == card_page(facts).encode()
    assert card.metadata == {
        "card_uri": "s3://artifact/cards/flights/e.html",
        "card_sha256": hashlib.sha256(body).hexdigest(),
    }


def test_a_card_that_cannot_be_made_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    document: Any = evaluation()
    del document["model"]
    objects = Objects()
    assert store_card(card_facts(document), "artifact", "cards/flights/e.html", objects) is None
    assert not objects.bodies
    assert "The model card of version 7 could not be made" in caplog.text
