"""A version as the page shows it: texts of the metadata become numbers, and what was not computed is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from include.pipelines.deploy.live import NOTHING_LIVE
from include.pipelines.models import rows
from include.pipelines.models.versions import Version
from tests.support.models_page import START, made

LIVE: Any = {**NOTHING_LIVE, "version": 2, "history": [2, 1], "rolled_back": {"3": "run3"}}


def version(number: int = 2, status: str = "Approved", **values: str) -> Version:
    return Version(made(number, status, **values), START)


def test_a_live_version_has_its_numbers_and_the_champions_on_the_same_test_set() -> None:
    row = rows.row(version(), LIVE)
    assert (row["live"], row["was_live"], row["waits"], row["promoted"]) == (True, True, False, True)
    assert (row["auc"], row["auc_low"], row["auc_high"]) == (0.7, 0.68, 0.72)
    assert (row["champion"], row["champion_auc"], row["difference"]) == (1, 0.69, 0.01)
    assert (row["cost_usd"], row["created"], row["status"]) == (0.0125, "2026-11-01T00:00:00+00:00", "approved")


def test_the_first_version_was_compared_with_none() -> None:
    row = rows.row(version(1), LIVE)
    assert (row["champion"], row["champion_auc"], row["difference"]) == (None, None, None)


@pytest.mark.parametrize("text", ["none", "x", "nan", "inf", ""])
def test_what_is_no_number_is_none_so_that_the_answer_is_json(text: str) -> None:
    row = rows.row(version(auc=text, auc_low=text, cost_usd=text), LIVE)
    assert (row["auc"], row["auc_low"], row["champion_auc"], row["cost_usd"]) == (None, None, None, None)
    json.dumps(row, allow_nan=False)


def test_a_version_that_waits_and_one_that_was_rolled_back_from() -> None:
    assert rows.row(version(4, "PendingManualApproval"), LIVE)["waits"]
    rolled_back = rows.details(version(3, "Rejected"), LIVE)
    assert (rolled_back["rolled_back_by"], rolled_back["was_live"], rolled_back["status"]) == ("run3", True, "rejected")


def test_the_details_say_what_made_a_version() -> None:
    made_from = rows.details(version(dataset_version="s1", code_sha="c1", image="i1"), LIVE)["made_from"]
    assert (made_from["data set"], made_from["code"], made_from["training image"]) == ("s1", "c1", "i1")
    assert made_from["data up to"] == "2013-03-03T00:00:00.000000Z"


def test_a_cut_off_that_cannot_be_read_is_shown_as_it_is() -> None:
    assert rows.details(version(data_cutoff="long ago"), LIVE)["made_from"]["data up to"] == "long ago"


@pytest.mark.parametrize(
    ("number", "status", "state"),
    [
        (2, "Approved", "live"),
        (1, "Approved", "approved"),
        (3, "Rejected", "rejected"),
        (4, "PendingManualApproval", "waits"),
    ],
)
def test_a_point_has_a_state(number: int, status: str, state: str) -> None:
    assert rows.point(version(number, status), LIVE)["s"] == state


def test_a_card_is_linked_if_there_is_one() -> None:
    assert rows.card_uri(version()) is None
    assert rows.card_uri(version(card_uri="none")) is None
    assert rows.card_uri(version(card_uri="s3://b/card.html")) == "s3://b/card.html"
