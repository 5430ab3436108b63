"""Two workloads on the models page: what is shown, and what a button does, is of the chosen one, whatever is late."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.models_page import DAG, REASON, Person
from tests.support.models_page_browser import answer, browser, open_dialog, visit

__all__ = ["browser", "visit"]

pytestmark = [pytest.mark.stack, pytest.mark.usefixtures("aws")]
TWIN = "texts_deploy"
DRAWN = "() => new Promise((done) => setTimeout(done, 100))"  # what an answer brings has been drawn by then


class Twins:
    """The page with a second workload, ``texts``, of which version 7 is live. Answers can be held back, or fail."""

    def __init__(self, page: Page, person: Person) -> None:
        self.page, self.person = page, person
        self.failing = self.holding = ""
        self.held: list[Route] = []
        self.sent: list[dict[str, object]] = []
        page.route("**/api/**", self._answer)
        page.reload()
        self.expect_shown("flights", 2)

    def choose(self, workload: str) -> None:
        self.page.get_by_role("button", name=workload, exact=True).click()

    def hold(self, part: str) -> None:
        """Keeps every answer back whose address ends so."""
        self.holding = part

    def release(self) -> None:
        """Lets the oldest answer go that is kept back, and all that come later."""
        self.holding = ""
        route = self.held.pop(0)
        with self.page.expect_response(route.request.url):
            self._answer(route)
        self.page.evaluate(DRAWN)

    def wait_for_held(self) -> None:
        for _ in range(12_000):
            if self.held:
                return
            self.page.wait_for_timeout(10)  # the browser's requests arrive meanwhile
        pytest.fail(f"nothing asked for {self.holding}")

    def expect_shown(self, workload: str, version: int | None) -> None:
        """Everything is of one workload; ``None`` is for no content."""
        expect(self.page.locator("#workloads [aria-current]")).to_have_text([workload])
        expect(self.page.get_by_role("main", name=workload, exact=True)).to_be_visible()
        assert self.page.title() == f"{workload} · Models · Nightjar"
        heard = self.page.locator("#shown")
        if version is None:
            expect(self.page.locator("main button")).to_have_count(0)
            expect(heard).to_be_empty()
        else:
            expect(self.page.get_by_label("Live version", exact=True)).to_contain_text(f"Version {version} live")
            expect(heard).to_have_text(f"{workload}: version {version} is live.")

    def _answer(self, route: Route) -> None:
        path = route.request.url.partition("/api/")[2]
        if self.holding and path.endswith(self.holding):
            self.held.append(route)
        elif self.failing and path.startswith(self.failing):
            route.fulfill(status=503, json={"detail": f"{self.failing} cannot be read"})
        elif path == "workloads":
            route.fulfill(json=[{"dag_id": one, "workload": one.removesuffix("_deploy")} for one in (DAG, TWIN)])
        elif route.request.method == "POST":
            self.sent.append({"path": path, **(route.request.post_data_json or {})})
            answer(route, self.person)
        elif path.startswith(TWIN):
            found = self.person.get(f"api/{path.replace(TWIN, DAG)}").json()
            if path == TWIN:
                found["live"]["version"] = 7
            if path == f"{TWIN}/versions":
                found["more"] = 1
            route.fulfill(json=json.loads(json.dumps(found).replace("flights", "texts")))
        else:
            answer(route, self.person)


@pytest.fixture
def twins(visit: Callable[[str], Page], person: Callable[[str], Person]) -> Twins:
    return Twins(visit("ann"), person("ann"))


def test_a_failure_leaves_nothing_of_the_workload_before_and_is_read_again(twins: Twins) -> None:
    twins.failing = TWIN
    twins.choose("texts")
    expect(twins.page.get_by_role("alert").filter(visible=True)).to_have_text("texts_deploy cannot be read")
    twins.expect_shown("texts", None)
    twins.failing = ""
    twins.page.get_by_role("button", name="Reload").click()
    twins.expect_shown("texts", 7)


def test_an_answer_that_comes_after_another_choice_is_not_drawn(twins: Twins) -> None:
    twins.choose("texts")
    twins.expect_shown("texts", 7)
    twins.hold("flights_deploy/points")
    twins.choose("flights")
    twins.wait_for_held()
    twins.expect_shown("flights", None)
    twins.choose("texts")
    twins.expect_shown("texts", 7)
    twins.release()
    twins.expect_shown("texts", 7)
    expect(twins.page.locator("main")).to_have_attribute("aria-busy", "false")


def test_a_failure_that_comes_after_another_choice_is_not_told(twins: Twins) -> None:
    twins.hold(TWIN)
    twins.choose("texts")
    twins.wait_for_held()
    twins.choose("flights")
    twins.expect_shown("flights", 2)
    twins.failing = TWIN
    twins.release()
    twins.expect_shown("flights", 2)


def test_older_versions_that_cannot_be_read_are_told_of_the_chosen_workload_only(twins: Twins) -> None:
    twins.choose("texts")
    twins.hold("?before=1")
    twins.page.get_by_role("button", name="Show older versions").click()
    twins.wait_for_held()
    twins.choose("flights")
    twins.expect_shown("flights", 2)
    twins.failing = TWIN
    twins.release()
    expect(twins.page.locator("#result")).to_be_empty()


def test_a_person_confirms_what_the_dialog_says_not_what_was_read_since(twins: Twins) -> None:
    twins.hold(DAG)
    twins.page.get_by_role("button", name="Reload").click()
    twins.wait_for_held()
    dialog = open_dialog(twins.page, "Freeze deploys")
    route, twins.holding = twins.held.pop(), ""
    newer = twins.person.get(f"api/{DAG}").json() | {"revision": 2}
    route.fulfill(json=newer)
    twins.page.evaluate(DRAWN)
    dialog.get_by_label("Reason").fill(REASON)
    with twins.page.expect_response("**/freeze"):
        dialog.get_by_role("button", name="Freeze deploys", exact=True).click()
    assert [(one["path"], one["revision"]) for one in twins.sent] == [(f"{DAG}/freeze", 1)]


def test_what_came_of_a_change_says_of_which_workload_it_is(twins: Twins) -> None:
    dialog = open_dialog(twins.page, "Freeze deploys")
    dialog.get_by_label("Reason").fill(REASON)
    twins.hold("/freeze")
    dialog.get_by_role("button", name="Freeze deploys", exact=True).click()
    twins.wait_for_held()
    twins.page.keyboard.press("Escape")
    twins.choose("texts")
    twins.expect_shown("texts", 7)
    twins.release()
    expect(twins.page.locator("#result")).to_contain_text("flights: Deploys are frozen")
    twins.expect_shown("texts", 7)
