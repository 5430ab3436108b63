"""The models page in Airflow, in a real browser: what is live, and changes that a person confirms.

Screenshots are kept in ``NIGHTJAR_HOME/screenshots``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from include.pipelines.models.versions import FRESH_SECONDS
from include.pipelines.promotion.packages import APPROVED, PENDING, REJECTED
from infra.laptop import registry
from tests.support.airflow_ui import PATIENCE_MS, AirflowUi
from tests.support.loop import WORKLOAD, Loop, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]
REASON = "the end-to-end test tries it"


@pytest.fixture
def frame(ui: AirflowUi) -> Iterator[FrameLocator]:
    """The page inside Airflow, with the workload that ``make run`` has deployed."""
    page = ui.page
    page.goto(f"{ui.url}/plugin/models")
    inside = page.frame_locator("iframe[title=Models]")
    inside.get_by_role("button", name=WORKLOAD, exact=True).click(timeout=PATIENCE_MS)
    expect(inside.locator("main")).to_have_attribute("aria-busy", "false", timeout=PATIENCE_MS)
    yield inside
    page.goto("about:blank")


def confirm(frame: FrameLocator, button: str, reason: str = REASON) -> None:
    """Opens the dialog of a change, gives the reason, and confirms."""
    frame.get_by_role("button", name=button, exact=True).first.click()
    dialog = frame.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=button, exact=True).click()
    expect(dialog).to_be_hidden(timeout=PATIENCE_MS)


def test_the_navigation_leads_to_what_is_live(loop: Loop, ui: AirflowUi) -> None:
    ui.page.goto(ui.url)
    ui.page.get_by_role("link", name="Models").click(timeout=PATIENCE_MS)
    frame = ui.page.frame_locator("iframe[title=Models]")
    frame.get_by_role("button", name=WORKLOAD, exact=True).click(timeout=PATIENCE_MS)
    live = frame.get_by_label("Live version", exact=True)
    expect(live).to_contain_text(f"Version {loop.live()['version']}", timeout=PATIENCE_MS)
    expect(frame.get_by_role("img", name="AUC on the test set")).to_be_visible()
    ui.shoot("models-page")


def test_the_details_of_the_live_version_have_what_made_it(loop: Loop, ui: AirflowUi, frame: FrameLocator) -> None:
    number, metadata = loop.live()["version"], loop.live_metadata()
    frame.get_by_role("button", name=f"Version {number}, details").click()
    details = frame.locator(f"#version-{number}")
    expect(details).to_contain_text(metadata["dataset_version"], timeout=PATIENCE_MS)
    expect(details).to_contain_text(metadata["code_sha"])
    with ui.page.context.expect_page(timeout=PATIENCE_MS) as opened:
        details.get_by_role("link", name="Evaluation").click()
    expect(opened.value.get_by_text("AUC").first).to_be_visible(timeout=PATIENCE_MS)
    opened.value.close()


def test_a_freeze_is_set_and_ended_by_clicks(ui: AirflowUi, frame: FrameLocator) -> None:
    confirm(frame, "Freeze deploys")
    expect(frame.locator(".notice", has_text="Deploys are frozen until")).to_contain_text(REASON)
    ui.shoot("models-page-frozen")
    confirm(frame, "End the freeze")
    expect(frame.locator(".notice", has_text="Deploys are frozen until")).to_have_count(0)


def test_a_short_reason_is_refused_in_the_dialog(frame: FrameLocator) -> None:
    frame.get_by_role("button", name="Freeze deploys", exact=True).click()
    dialog = frame.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(" " * 20)
    dialog.get_by_role("button", name="Freeze deploys", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Give a reason", timeout=PATIENCE_MS)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()


def test_a_version_that_waits_is_rejected_with_a_reason(loop: Loop, ui: AirflowUi) -> None:
    number = loop.register(registry.content(loop.aws, loop.live_metadata()["bundle_uri"]))
    arn = loop.package(number)["ModelPackageArn"]
    loop.aws.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=PENDING)
    page = ui.page
    page.wait_for_timeout(1000 * (FRESH_SECONDS + 1))  # the list of versions that Airflow keeps is from before
    page.goto("about:blank")  # a page that is open already would not load again for another #part
    page.goto(f"{ui.url}/nightjar/models/#{WORKLOAD}")
    page.get_by_role("button", name=f"Version {number}, details").click(timeout=PATIENCE_MS)
    page.get_by_role("button", name=f"Reject version {number}", exact=True).click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(REASON)
    dialog.get_by_role("button", name=f"Reject version {number}", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text(f"Version {number} is rejected", timeout=PATIENCE_MS)
    found = loop.package(number)
    assert found["ModelApprovalStatus"] == REJECTED and REASON in found["ApprovalDescription"]
    assert loop.live()["version"] != number
    until(lambda: _audited(loop, "reject_model_version"), "the change is in Airflow's audit log")


def test_it_is_readable_on_a_phone(loop: Loop, ui: AirflowUi) -> None:
    page: Page = ui.page
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    try:
        for theme in ("dark", "light"):
            page.emulate_media(color_scheme=theme)
            page.goto(f"{ui.url}/nightjar/models/#{WORKLOAD}")
            expect(page.get_by_label("Live version", exact=True)).to_be_visible(timeout=PATIENCE_MS)
            wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
            assert not wide, "the page is wider than the phone"
            ui.shoot(f"models-page-phone-{theme}")
    finally:
        page.emulate_media(color_scheme=None)
        page.set_viewport_size(size or {"width": 1280, "height": 1000})


def test_the_version_that_serves_is_not_changed_by_any_of_this(loop: Loop) -> None:
    assert loop.package(int(loop.live()["version"]))["ModelApprovalStatus"] == APPROVED


def _audited(loop: Loop, event: str) -> bool:
    found = loop.airflow.call("GET", "/eventLogs", params={"event": event, "limit": 1})
    return bool(found["total_entries"])
