"""The log of the nights, and the page made of it."""

from __future__ import annotations

from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from infra.laptop import night_log, nights_page
from infra.laptop.config import LaptopConfig
from infra.laptop.night_log import NightRecord

DAY = date(2013, 6, 19)


def night(offset: int, **fields: Any) -> NightRecord:
    given = {"workload": "flights", "day": DAY + timedelta(days=offset), "seconds": 60, "outcome": ""}
    return NightRecord(**{**given, **fields})


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_night_that_is_made_again_replaces_its_line_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    config = LaptopConfig(run=tmp_path)
    assert night_log.read(config) == {}
    for record in (night(1), night(0, status="failed"), night(0, version=3, auc=0.75), night(0, workload="ads")):
        night_log.append(config, record)
    with (tmp_path / "nights.jsonl").open("a") as file:
        file.write('{"workload": "fli')
    assert night_log.read(config) == {
        "ads": [night(0, workload="ads")],
        "flights": [night(0, version=3, auc=0.75), night(1)],
    }


def test_a_record_has_the_champions_auc_of_the_same_test_set() -> None:
    metadata = {"auc": "0.754119", "auc_difference": "0.003300", "decision": "promoted"}
    package: dict[str, Any] = {"ModelPackageVersion": 2, "CustomerMetadataProperties": metadata}
    found = night_log.registered(package)
    expected = {"version": 2, "decision": "promoted", "auc": 0.754119, "champion_auc": 0.750819, "reason": None}
    assert found == expected
    assert night_log.registered(package | {"ApprovalDescription": "AUC is below"})["reason"] == "AUC is below"
    metadata["auc_difference"] = "none"
    assert night_log.registered(package)["champion_auc"] is None
    assert night_log.registered(None) == {}


def test_the_page_has_every_night_and_a_plot_and_no_text_of_it_is_markup(tmp_path: Path) -> None:
    config = LaptopConfig(run=tmp_path)
    assert "No night was made yet" in nights_page.write(config).read_text()
    nights = [
        night(0, version=1, decision="promoted", auc=0.73, outcome="version 1 is live"),
        night(1, version=2, decision="refused", auc=0.71, champion_auc=0.735, reason="worse than version 1"),
        night(2, status="refused", outcome="<script>alert('1')</script> rows: 3 < 4"),
        night(3, status="failed", outcome="flights_process failed"),
    ]
    for record in nights:
        night_log.append(config, record)
    page = Elements(nights_page.write(config).read_text())
    assert "script" not in page.tags and "<script>alert('1')</script> rows: 3 < 4" in page.text
    assert page.tags.count("tr") == 1 + len(nights) + 3  # the figures are of AUC and seconds
    assert page.tags.count("circle") == page.tags.count("rect") == len(nights) and page.tags.count("polyline") == 2
    sentence = "4 nights, 2013-06-19 to 2013-06-22: 2 done, 1 refused by a rule, 1 failed; 1 versions promoted, 1 not."
    assert sentence in page.text
    assert "not promoted20.71000.7350-0.025060worse than version 1" in page.text
    assert "AUC of the night's version0.71000.72000.7300" in page.text


def test_the_newest_night_is_the_first_row(tmp_path: Path) -> None:
    config = LaptopConfig(run=tmp_path)
    for offset in range(2):
        night_log.append(config, night(offset, outcome=f"outcome {offset}"))
    text = Elements(nights_page.write(config).read_text()).text
    assert text.index("outcome 1") < text.index("outcome 0")


def test_one_night_alone_has_no_plot(tmp_path: Path) -> None:
    config = LaptopConfig(run=tmp_path)
    night_log.append(config, night(0, version=1, decision="promoted", auc=0.73))
    assert "svg" not in Elements(nights_page.write(config).read_text()).tags
