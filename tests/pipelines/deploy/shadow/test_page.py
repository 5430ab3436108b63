"""The report's page: what was measured beside what is allowed, and every text escaped."""

from __future__ import annotations

from include.pipelines.deploy.shadow.compare import verdict
from include.pipelines.deploy.shadow.page import shadow_page
from tests.support.shadows import SPEC, report, with_shadow

EVIL = "<script>alert(1)</script> is missing"


def test_a_reason_from_the_data_is_escaped_and_nothing_is_loaded() -> None:
    found = report(refused={"requests": 7, "reasons": {EVIL: 7}})
    page = shadow_page(with_shadow(), (6, 7), found, verdict(found, SPEC), ["predictions/flights/2026/11/29/10/"])
    assert "<script" not in page and page.count("&lt;script&gt;") == 2  # the verdict's reason, and the table's
    assert "http" not in page.replace("http-equiv", "")
    assert ">stopped<" in page and "0.70%" in page


def test_a_version_that_answered_nothing_has_a_page_too() -> None:
    found = report(
        differences=None, latency=None, refused={"requests": 1000, "reasons": {}}, changed={"to_1": 0, "to_0": 0}
    )
    page = shadow_page(with_shadow(), (6, 7), found, verdict(found, SPEC), [])
    assert "n/a" in page
