"""The model card: everything that is known of a version, on one page that loads nothing."""

from __future__ import annotations

import copy
from html.parser import HTMLParser
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.model.evaluation import Evaluation
from include.pipelines.card import card_page
from include.workloads import load
from tests.support.evaluations import HOSTILE, card_facts, evaluation

VOID = {"meta", "path", "rect", "circle"}


class Page(HTMLParser):
    """What is on a page; fails on a tag that is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attributes]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())

    @property
    def text(self) -> str:
        return "\n".join(text for text in self.texts if text)


def test_a_card_says_what_its_readers_ask() -> None:
    page = Page(card_page(card_facts(evaluation(0.70, 0.69), champion="3")))
    for said in (
        "Model card: flights, version 7",
        "Will a flight from a New York airport arrive more than 15 minutes late?",
        "the flight arrives more than 15 minutes late",
        "landed: arr_delay > 15",
        "The candidate was promoted; it was compared with version 3.",
        "The candidate's AUC 0.7000 reaches the bar 0.6000.",
        "0.7000",
        "0.6900 to 0.7100",
        "0.1500 to 0.1700",  # the Brier score's interval
        "Candidate minus champion (version 3) is +0.0100 in AUC, 95 % interval +0.0050 to +0.0150.",
        "40,000",
        "By carrier",
        "By distance",
        "20 rows, fewer than 200",
        "Values of carrier with too few rows to be measured: HA.",
        "It knows departures from EWR, JFK and LGA in 2013 only.",
        "distance, 25.0% missing",
        "scikit-learn 1.9.0",
        "nj-flights-train-k",
        "cost about 0.0196 USD",
    ):
        assert said in page.text, said
    assert "svg" in page.tags


def test_a_card_loads_nothing_and_runs_nothing() -> None:
    text = card_page(card_facts(evaluation(0.70, 0.69), champion="3"))
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form", "a", "image", "use", "foreignobject"}
    assert not {name for name, _ in page.attributes} & {"src", "href", "srcset", "action", "style"}
    assert "url(" not in text and "@import" not in text and "http://" not in text and "https://" not in text
    assert "default-src 'none'" in text
    assert "color-scheme: light dark" in text and "@media print" in text


def test_equal_facts_give_equal_bytes() -> None:
    first, second = (card_facts(evaluation(0.70, 0.69), load("flights"), champion="3") for _ in range(2))
    assert card_page(first) == card_page(second)


def test_a_version_without_a_champion_says_so() -> None:
    page = Page(card_page(card_facts()))
    assert "it was compared with no champion." in page.text
    assert "There was no champion: the bar and the slices decided." in page.text
    assert "champion, 95 % interval" not in page.text


def test_a_refused_and_a_backfilled_version_say_so() -> None:
    text = Page(card_page(card_facts(decision="refused", backfilled="true", cost_usd="unknown"))).text
    assert "The candidate was not promoted" in text and "made by a backfill" in text
    assert "The cost of its jobs is unknown" in text


def test_a_model_of_a_kind_that_can_use_a_gpu_says_what_trained_it() -> None:
    document = evaluation(0.70, 0.69)
    seed = document["model"]["seed"]
    assert "trained on" not in Page(card_page(card_facts(document))).text
    document["model"]["device"] = "cuda"
    assert f"seed {seed}, trained on cuda" in Page(card_page(card_facts(document))).text


def test_the_days_that_a_data_set_leaves_out_are_named() -> None:
    document = evaluation()
    document["dataset"]["missing_days"] = {"2013-04-03": f"was refused: {HOSTILE}"}
    page = Page(card_page(card_facts(document)))
    assert f"was refused: {HOSTILE}" in page.text
    assert "1 days of its window are missing from the data set." in page.text


def _replaced(value: Any, leaf: Any, *, keys: bool) -> Any:
    """A copy with ``leaf`` in place of each text, and in the names of each mapping with names from the data."""
    if isinstance(value, dict):
        return {name: _replaced(inner, leaf, keys=keys) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, leaf, keys=keys) for inner in value]
    return leaf if isinstance(value, str) else value


def test_every_text_is_escaped() -> None:
    document = cast("Evaluation", _replaced(evaluation(0.70, 0.69), HOSTILE, keys=False))
    for model in (document["candidate"], document["champion"]):
        assert model is not None
        model["slices"]["carrier"] = {HOSTILE: model["slices"]["carrier"]["AA"]}
        model["slices_not_measured"]["carrier"] = {HOSTILE: HOSTILE}
    document["distributions"]["features"] = {HOSTILE: document["distributions"]["features"]["carrier"]}
    document["model"]["features"] = {HOSTILE: "number"}
    document["model"]["hyperparameters"] = {HOSTILE: HOSTILE}
    document["dataset"]["splits"][HOSTILE] = document["dataset"]["splits"]["test"]
    flights = load("flights")
    label = flights.label.model_copy(update={"description": HOSTILE, "expression": HOSTILE})
    told = {"description": HOSTILE, "owner": HOSTILE, "limits": (HOSTILE,), "label": label}
    hostile = dict.fromkeys(("decision", "decision_uri", "champion", "day", "image", "cost_usd"), HOSTILE)
    text = card_page(card_facts(document, flights.model_copy(update=told), **hostile))
    assert "<script" not in text
    assert "script" not in Page(text).tags and HOSTILE in Page(text).text


@pytest.mark.parametrize("path", ["candidate", "champion"])
def test_a_number_that_could_not_be_computed_is_not_available(path: str) -> None:
    document: Any = copy.deepcopy(evaluation(0.70, 0.69))
    for name in ("auc_low", "auc_high"):
        document[path][name] = None
        document[path]["slices"]["carrier"]["AA"][name] = None
    document[path]["log_loss"] = None
    document[path]["intervals"]["brier"] = {"low": None, "high": None}
    document["difference"] |= {"low": None, "high": None}
    document["importance"] = None
    page = Page(card_page(card_facts(document, champion="3")))
    assert "n/a" in page.text and "one class only" in page.text


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.text(max_size=60), st.floats(-1, 1))
def test_any_distribution_and_any_name_make_a_page(shares: list[float], name: str, drop: float) -> None:
    document: Any = evaluation(0.70, 0.70 - drop)
    labels = [name] * len(shares)
    drawn = {"kind": "number", "missing": 0.0, "labels": labels, "shares": shares}
    document["distributions"]["features"] = {name: drawn}
    document["importance"]["features"] = [{"feature": name, "drop": drop, "deviation": 0.0}]
    Page(card_page(card_facts(document, champion="3")))
