"""The models page in a browser, answered by the application in this process. It is only in the test environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.support.browser import browser
from tests.support.models_page import PREFIX, Person

__all__ = ["answer", "browser", "open_dialog", "visit"]

ORIGIN = "http://127.0.0.1:1"


@pytest.fixture
def visit(browser: BrowserContext, person: Callable[[str], Person]) -> Iterator[Callable[[str], Page]]:
    """``visit("ann")``: the page as a user of Airflow gets it."""
    page = browser.new_page()

    def open_as(name: str) -> Page:
        page.route(f"{ORIGIN}/**", lambda route: answer(route, person(name)))
        page.goto(f"{ORIGIN}{PREFIX}/")
        expect(page.locator("main")).to_have_attribute("aria-busy", "false")
        return page

    yield open_as
    page.close()


def answer(route: Route, who: Person) -> None:
    """Answers a request of the browser as the application answers a person."""
    asked = route.request
    sent = {"content": asked.post_data, "headers": {**asked.headers, **who.login()}}
    path = asked.url.removeprefix(ORIGIN)
    found = who.client.request(asked.method, path, **sent)  # type: ignore[arg-type]
    route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)


def open_dialog(page: Page, button: str) -> Locator:
    """Opens the dialog of a change by keyboard."""
    page.get_by_role("button", name=button, exact=True).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    return dialog
