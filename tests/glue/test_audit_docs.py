"""Data Docs of hostile values: they load nothing, run nothing and contain no markup of values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

from include.workloads import load
from tests.support.audits import DAY, Audit, staged
from tests.support.browser import browser
from tests.support.tiny_workload import EXPECTATIONS, document, write_workload

__all__ = ["browser", "staged"]

# Great Expectations takes seconds to import.
pytestmark = pytest.mark.stack

HOSTILE = '<script>document.title="owned"</script><img src="http://192.0.2.1/x.png" onerror="alert(1)">'


@pytest.fixture
def hostile(staged: Audit, tmp_path: Path) -> Path:
    """The folder of the Data Docs of a day whose values, reasons and errors are markup."""
    types = ("expect_column_distinct_values_to_be_in_set", "expect_column_values_to_be_in_set")
    several = [{"type": name, "column": "item", "value_set": ["b"], "severity": "critical"} for name in types]
    common = {"type": "expect_column_most_common_value_to_be_in_set", "column": "item", "value_set": ["b"]}
    broken = {"type": "expect_column_mean_to_be_between", "column": "item", "min_value": 0, "severity": "critical"}
    expectations = [*several, {**common, "severity": "critical"}, broken]
    suites = {**EXPECTATIONS, "offered": {**EXPECTATIONS["offered"], "expectations": expectations}}
    write_workload(tmp_path / "hostile", workload=document(), expectations=suites)
    staged(workload=load("shop", tmp_path / "hostile"), text=HOSTILE, reasons={HOSTILE: 3})
    return tmp_path / "docs"


def test_data_docs_load_nothing_and_contain_no_markup_of_values(
    hostile: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert [record.message for record in caplog.get_records("setup") if record.levelname == "ERROR"] == []
    pages = sorted(hostile.rglob("*.html"))
    assert len(pages) == 5
    for path in pages:
        text = path.read_text()
        tags = {tag.lower() for tag in re.findall(r"<\s*([a-zA-Z]+)", text)}
        assert not tags & {"script", "img", "link", "iframe", "object", "svg"}, path
        assert not re.search(r"<[^>]*\b(src|on\w+)\s*=", text), path
        assert not re.search(r"href=.(https?:|//|javascript:)", text), path
        assert 'http-equiv="Content-Security-Policy"' in text
    assert not [path for path in pages if "&amp;lt;" in path.read_text()], "escaped twice"
    assert "&lt;script&gt;" in (hostile / f"days/{DAY}.html").read_text(), "the reason is shown as text"


def test_data_docs_open_in_a_browser_without_network_and_run_nothing(hostile: Path, browser: BrowserContext) -> None:
    page = browser.new_page()
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda line: problems.append(line.text))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    for path in sorted(hostile.rglob("*.html")):
        page.goto(f"file://{path}")
        assert page.title() not in ("", "owned")
        assert page.locator("script, img").count() == 0
        assert len(page.inner_text("body")) > 50
        for link in page.locator("a[href]").all():
            target = (link.get_attribute("href") or "").split("#")[0]
            assert not target or (path.parent / target).is_file(), (path, target)
    page.goto(f"file://{hostile}/index.html")
    page.get_by_role("link", name=DAY.isoformat()).click()
    assert page.get_by_text("failed").first.is_visible()
    assert all(url.startswith("file://") for url in requests)
    assert problems == []
    page.close()
