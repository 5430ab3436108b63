"""The models page in a browser as who cannot see it, or not well, has it, in each of its states."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from airflow.utils.state import DagRunState
from playwright.sync_api import Page, expect

from tests.support.accessibility import DESKTOP, PHONE, faults, nodes
from tests.support.models_page import REASON, Sources
from tests.support.models_page_browser import browser, open_dialog, visit
from tests.support.models_page_runs import begin_deploy, change_dag, no_runs

__all__ = ["browser", "visit"]

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("aws")]


@pytest.fixture(autouse=True)
def unpaused(database: None) -> None:
    no_runs()


def test_the_list_has_no_fault_and_tells_its_parts(visit: Callable[[str], Page]) -> None:
    page = visit("ann")
    assert faults(page) == []
    assert page.title() == "flights · Models · Nightjar"
    headings = [(node.properties["level"], node.name) for node in nodes(page, "heading")]
    names = ("Live", "Actions", "In production", "AUC by version", "Versions")
    assert headings == [(1, "Models"), *((2, name) for name in names)]
    expect(page.get_by_role("main", name="flights")).to_be_visible()
    (plot,) = nodes(page, "image")
    assert re.match(r"Versions 1 to 3: AUC on the test set .* The live version 2 has 0.7000", plot.name)


def test_a_state_has_a_shape_besides_its_colour(visit: Callable[[str], Page]) -> None:
    page = visit("ann")
    shapes = page.locator(".legend svg > *").evaluate_all(
        """(found) => found.map((one) => {
             const style = getComputedStyle(one);
             const hollow = style.fill === getComputedStyle(document.body).backgroundColor;
             return [one.tagName, one.getAttribute("r"), hollow, style.strokeDasharray].join();
           })"""
    )
    assert len(shapes) == len(set(shapes)) == 5


def test_a_version_opens_below_its_button(visit: Callable[[str], Page]) -> None:
    page = visit("ann")
    button = page.get_by_role("button", name="Version 3, details")
    expect(button).to_have_attribute("aria-expanded", "false")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Made from")).to_be_visible()
    assert faults(page) == []
    (opened,) = [node for node in nodes(page, "button") if node.properties.get("expanded") is True]
    assert opened.name == "Version 3, details" and opened.properties["focused"]
    page.set_viewport_size(PHONE)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Made from")).to_be_hidden()


def test_every_cell_of_the_versions_has_its_headers_on_a_phone_too(visit: Callable[[str], Page]) -> None:
    page = visit("ann")
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        (table,) = nodes(page, "table")
        assert (table.name, table.description) == ("Versions", "3 of 3 versions are shown.")
        assert [node.name for node in nodes(page, "columnheader")] == [
            "Version", "Day", "Status", "AUC (interval)", "Against the champion", "Cost", "Why",
        ]  # fmt: skip
        assert [node.name for node in nodes(page, "rowheader")] == [f"Version {n}, details" for n in (3, 2, 1)]
        assert len(nodes(page, "cell", "gridcell")) == 3 * 6


def test_a_dialog_says_what_it_does_keeps_the_focus_and_gives_it_back(visit: Callable[[str], Page]) -> None:
    page = visit("ann")
    open_dialog(page, "Freeze deploys")
    assert faults(page) == []
    (dialog,) = nodes(page, "dialog")
    assert (dialog.name, dialog.properties["modal"]) == ("flights: Freeze deploys?", True)
    assert dialog.description.startswith("No version is deployed until then.")
    expect(page.get_by_label("Until (your local time)")).to_be_focused()
    assert not {"Roll back", "Reload"} & {node.name for node in nodes(page, "button")}, "what is behind it is told"
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Freeze deploys", exact=True)).to_be_focused()


def test_a_refusal_is_announced_in_the_dialog_and_the_focus_stays(visit: Callable[[str], Page], aws: Sources) -> None:
    page = visit("ann")
    dialog = open_dialog(page, "Roll back")
    dialog.get_by_label("Reason").fill(REASON)
    aws.go_live(3, 2, 1, revision=2)  # meanwhile
    confirm = dialog.get_by_role("button", name="Roll back", exact=True)
    confirm.focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Load the page again")
    expect(confirm).to_be_focused()
    assert faults(page) == []


def test_what_came_of_a_change_is_announced(visit: Callable[[str], Page]) -> None:
    page = visit("ann")
    assert [node.properties["live"] for node in nodes(page, "status")] == ["polite"] * 3, "before they have a message"
    dialog = open_dialog(page, "Freeze deploys")
    dialog.get_by_label("Reason").fill(REASON)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("frozen")
    expect(page.get_by_role("main")).to_be_focused()
    assert faults(page) == []


@pytest.mark.parametrize("paused", [False, True])
def test_the_end_of_a_deploy_names_its_run_and_says_what_follows(
    visit: Callable[[str], Page], aws: Sources, paused: bool
) -> None:
    begin_deploy(aws, DagRunState.RUNNING)
    change_dag(is_paused=paused)
    follows = "Nothing goes back yet" if paused else "looks about every 30 seconds"
    page = visit("ann")
    dialog = open_dialog(page, "Roll back the deploy of version 3")
    expect(dialog).to_contain_text(follows)
    assert faults(page) == []
    dialog.get_by_label("Reason").fill(REASON)
    dialog.get_by_role("button", name="Roll back the deploy of version 3", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("The deploy of version 3 is ended")
    told = page.locator(".notice.bad").filter(has_text=f"rolled back by ann: {REASON}.")
    expect(told).to_contain_text("nothing goes back yet" if paused else "at its next step")
    assert faults(page) == []


def test_errors_are_announced(visit: Callable[[str], Page]) -> None:
    page = visit("ann")
    page.route("**/api/**", lambda route: route.fulfill(status=500, json={}))
    page.get_by_role("button", name="Reload").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("status 500")
    expect(page.get_by_role("button", name="Reload")).to_be_focused()
    assert faults(page) == []


def test_the_choice_of_a_workload_keeps_the_focus_and_is_announced(visit: Callable[[str], Page]) -> None:
    page = visit("ann")
    chosen = page.get_by_role("button", name="flights", exact=True)
    chosen.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="flights: version 2 is live")).to_have_count(1)
    expect(chosen).to_be_focused()


def test_a_viewer_and_a_stranger_are_told_what_they_may(visit: Callable[[str], Page]) -> None:
    page = visit("vera")
    assert faults(page) == []
    expect(page.get_by_text("You may read.")).to_be_visible()
