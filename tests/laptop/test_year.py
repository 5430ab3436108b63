"""Which nights `make year` makes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra.laptop import bounds
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.history_source import HistorySource
from infra.laptop.year import whole_row

SECOND_OF_MARCH = date(2013, 3, 2)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaptopConfig:
    year = SimpleNamespace(first=date(2013, 1, 1), last=date(2013, 12, 31))
    monkeypatch.setattr(HistorySource, "open", lambda name, folder: year)
    return LaptopConfig(run=tmp_path)


def test_it_begins_when_there_is_a_history_and_ends_with_it(config: LaptopConfig) -> None:
    row, to = whole_row(config, "flights", None, None)
    assert (row.first_day, row.night, to) == (date(2013, 1, 1), date(2013, 3, 1), date(2013, 12, 31))


def test_a_part_of_it_is_what_a_person_asks_for(config: LaptopConfig) -> None:
    row, to = whole_row(config, "flights", SECOND_OF_MARCH, date(2013, 3, 9))
    assert (row.night, to) == (SECOND_OF_MARCH, date(2013, 3, 9))


def test_a_run_folder_goes_on_with_its_own_nights(config: LaptopConfig) -> None:
    bounds.allow(config, "flights", date(2013, 6, 19))
    assert whole_row(config, "flights", None, None)[0].night == date(2013, 6, 19)
    assert whole_row(config, "flights", date(2013, 6, 19), None)[0].night == date(2013, 6, 19)
    with pytest.raises(LaptopError, match=r"began on 2013-06-19, not on 2013-03-02. Leave out FROM"):
        whole_row(config, "flights", SECOND_OF_MARCH, None)


def test_without_a_history_there_is_nothing_to_make(config: LaptopConfig) -> None:
    with pytest.raises(LaptopError, match="no workload with a history"):
        whole_row(config, "shop", None, None)
