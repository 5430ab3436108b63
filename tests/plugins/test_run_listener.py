"""Notes of runs: what fits. ``jobs/test_on_airflow.py`` has the rest, on a real Airflow."""

from __future__ import annotations

from nightjar.run_listener import shortened


def test_what_fits_stays_as_it_is() -> None:
    assert shortened(["a" * 4, "b" * 4], 10) == ["a" * 4, "b" * 4]


def test_a_long_text_is_cut_and_the_outcome_after_it_is_not() -> None:
    warnings, outcome = "w" * 5000, "Published 2013-03-01."
    cut = shortened([warnings, outcome], 1000)
    assert cut[1] == outcome
    assert cut[0].endswith("w…") and len("\n".join(cut)) == 999


def test_more_texts_than_there_is_room_for_make_no_error() -> None:
    assert len("\n".join(shortened(["text"] * 100, 50))) <= 99 + 100
