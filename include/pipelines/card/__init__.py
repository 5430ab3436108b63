"""The model card: one page for each version, made from its evaluation, its decision and its metadata."""

from __future__ import annotations

from include.pipelines.card.facts import CardFacts
from include.pipelines.card.page import card_page
from include.pipelines.card.stored import StoredCard, store_card

__all__ = ["CardFacts", "StoredCard", "card_page", "store_card"]
