"""The page in a real browser, against a real service. The browser replaces answers that the service does not give.

Screenshots are kept in ``$NIGHTJAR_HOME/screenshots``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Route, expect

from include.workloads import FieldSpec, load
from include.workloads.request_rules import RequestRule
from serving.openapi import components, one_record, record_schema
from tests.support.accessibility import faults
from tests.support.browser import browser
from tests.support.given_features import SCHEMA
from tests.support.service import Service

__all__ = ["browser"]

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(os.environ.get("NIGHTJAR_HOME", ROOT / ".nightjar")) / "screenshots"
# The page's routes, and the media type of each.
FILES = {
    "/": "text/html",
    "/page.css": "text/css",
    "/page.js": "text/javascript",
    "/docs": "text/html",
    "/docs.js": "text/javascript",
}
HOSTILE = '<script>document.title="owned"</script><img src=x onerror=alert(1)>'


class Visit:
    """One page, its requests, and the warnings and errors in its console."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base = page, base
        self.requests: list[str] = []
        self.problems: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(str(error)))

    def _on_console(self, line: ConsoleMessage) -> None:
        if line.type in ("error", "warning"):
            self.problems.append(line.text)

    def open(self, width: int = 1280) -> Page:
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.goto(self.base + "/")
        expect(self.page.locator("#send")).to_be_enabled()
        expect(self.page.locator("#state")).to_have_text("live")
        return self.page

    def replace(self, path: str, body: Any, status: int = 200) -> None:
        """Replaces the service's answer on one path."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.page.route(
            self.base + path, lambda route: route.fulfill(status=status, content_type="application/json", body=text)
        )


@pytest.fixture
def visit(browser: BrowserContext, service: Service) -> Iterator[Visit]:
    base = f"http://127.0.0.1:{service.port}"
    one = Visit(browser.new_page(), base)
    yield one
    assert all(url.startswith((base, "data:")) for url in one.requests), one.requests
    # The browser itself reports every 4xx; anything else is an error of the page.
    assert [text for text in one.problems if "the server responded with a status of 4" not in text] == []
    one.page.close()


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
def test_a_prediction(visit: Visit, width: int, scheme: Literal["light", "dark"]):
    visit.page.emulate_media(color_scheme=scheme)
    page = visit.open(width)
    assert page.get_by_label("text_length").input_value() == "120"
    with page.expect_response("**/predict") as answer:
        page.get_by_role("button", name="Predict").click()
    percent = f"{100 * answer.value.json()['probability']:.1f}"
    meter = page.get_by_role("meter", name="probability of label 1")
    expect(meter).to_have_attribute("aria-valuenow", percent)
    expect(page.locator("#answer")).to_contain_text(f"{percent} %")
    expect(page.locator("#quantiles")).to_contain_text("p99")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.problems == []
    shoot(page, f"answer-{width}-{scheme}")


def test_the_live_model(visit: Visit, service: Service):
    version = service.client.get("/version").json()
    page = visit.open()
    for name in ("workload", "model_version", "cutoff", "engine"):
        expect(page.locator("body")).to_contain_text(str(version[name]))
    for name in ("dataset_version", "bundle_digest", "code_sha"):
        expect(page.get_by_title(version[name])).to_have_text(version[name][:12] + "…")


def test_the_model_card_is_linked_where_its_address_is_known(visit: Visit, service: Service):
    version = service.client.get("/version").json()
    page = visit.open()
    expect(page.locator("#facts")).to_contain_text("Bundle")
    expect(page.locator("#facts a")).to_have_count(0)
    visit.replace("/version", {**version, "model_card_url": "http://127.0.0.1:8080/card?a=1"})
    page = visit.open()
    expect(page.locator("#facts a")).to_have_attribute("href", "http://127.0.0.1:8080/card?a=1")
    visit.replace("/version", {**version, "model_card_url": "javascript:alert(1)"})
    page = visit.open()
    expect(page.locator("#facts")).to_contain_text("Bundle")
    expect(page.locator("#facts a")).to_have_count(0)


def test_the_parity_of_every_engine_tried(visit: Visit, service: Service):
    parity = [
        {"engine": "treelite", "passed": False, "rows": 2000, "reason": "17 labels differ"},
        {"engine": "onnxruntime", "passed": True, "rows": 2000, "max_difference": 3.1e-8},
    ]
    visit.replace("/version", {**service.client.get("/version").json(), "engine_microseconds": 8.25, "parity": parity})
    page = visit.open()
    shown = [
        "failedtreelite2,000 rows · 17 labels differ",
        "passedonnxruntime2,000 rows · largest difference 3.1e-8",
    ]
    expect(page.locator("#parity li")).to_have_text(shown)
    expect(page.locator("#engine")).to_contain_text("8.25 µs a row")
    shoot(page, "parity-1280-light")


def test_the_error_of_a_field_is_shown_beside_it(visit: Visit):
    page = visit.open()
    field = page.get_by_label("num_keywords")
    field.fill("three")
    page.keyboard.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.locator("#field-num_keywords-message")).to_have_text("is not an integer")
    expect(page.locator("#field-text_length-message")).to_be_empty()
    expect(page.get_by_role("alert")).to_contain_text("num_keywords: is not an integer")
    shoot(page, "refusal-1280-light")
    field.fill("3")
    page.keyboard.press("Enter")
    expect(page.get_by_role("meter")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(field).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [("1e400", '"text_length": 1e400'), ("0.10000000000000000001", '"text_length": 0.10000000000000000001'), ("", "{}"),
     ('1, "x": 2', '"text_length": "1, \\"x\\": 2"')],
)  # fmt: skip
def test_numbers_are_sent_as_they_are_typed(visit: Visit, typed: str, sent: str):
    page = visit.open()
    page.get_by_label("num_keywords").fill("")
    page.get_by_label("text_length").fill(typed)
    with page.expect_request("**/predict") as request:
        page.keyboard.press("Enter")
    assert sent in (request.value.post_data or "")
    expect(page.locator("#field-num_keywords-message")).to_have_text("is missing")


def test_every_type_of_field_and_empty_fields(visit: Visit):
    fields = {
        "late": FieldSpec(type="boolean", example=True),
        "rain": FieldSpec(type="boolean", nullable=True),
        "departure": FieldSpec(type="timestamp", example="2013-06-20T14:30:00Z"),
        "carrier": FieldSpec(type="string", enum=("UA", "AA"), example="UA"),
        "note": FieldSpec(type="string"),
        "airline": FieldSpec(type="string", nullable=True),
        "seats": FieldSpec(type="integer", nullable=True, example=149),
        "engines": FieldSpec(type="integer"),
    }
    visit.replace("/openapi.json", {"components": {"schemas": {"Record": record_schema(fields)}}})
    page = visit.open()
    with page.expect_request("**/predict") as request:
        page.get_by_role("button", name="Predict").click()
    # Empty fields are left out, except a required text, which may be empty.
    expected = {"late": True, "departure": "2013-06-20T14:30:00Z", "carrier": "UA", "note": "", "seats": 149}
    assert json.loads(request.value.post_data or "") == expected
    expect(page.get_by_label("rain")).to_have_attribute("aria-required", "false")


def test_fields_that_belong_together_are_said_above_the_form(visit: Visit):
    fields = {name: FieldSpec(type="number", nullable=True) for name in ("lat", "lon")}
    rules = [RequestRule(need="all_or_none", fields=("lat", "lon"))]
    visit.replace("/openapi.json", {"components": {"schemas": {"Record": record_schema(fields, rules)}}})
    page = visit.open()
    expect(page.get_by_text("lat and lon must be given together, or not at all.")).to_be_visible()


@pytest.mark.parametrize("width", [380, 1280])
def test_a_form_of_many_fields(visit: Visit, width: int):
    fields = load("flights").request
    visit.replace("/openapi.json", {"components": {"schemas": {"Record": record_schema(fields)}}})
    page = visit.open(width)
    assert page.locator("#fields input, #fields select").count() == len(fields)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shoot(page, f"flights-{width}-light")


def test_a_value_outside_the_training_range_is_answered_with_a_warning(visit: Visit):
    page = visit.open(380)
    page.get_by_label("num_keywords").fill("101")
    page.keyboard.press("Enter")
    expect(page.locator("#field-num_keywords-message")).to_have_text("is above the maximum 100")
    expect(page.locator("#answer")).to_contain_text("num_keywords is above the maximum 100")
    shoot(page, "warning-380-light")


def test_text_from_outside_is_never_markup(visit: Visit, service: Service):
    version = dict.fromkeys(service.client.get("/version").json(), HOSTILE)
    record = {"properties": {HOSTILE: {"type": "string", "description": HOSTILE, "examples": [HOSTILE]}}}
    problem = {"error": HOSTILE, "request_id": HOSTILE, "fields": [{"field": HOSTILE, "message": HOSTILE}]}
    visit.replace("/version", {**version, "parity": [{"engine": HOSTILE, "passed": False, "reason": HOSTILE}]})
    visit.replace("/openapi.json", {"components": {"schemas": {"Record": record}}})
    visit.replace("/metrics", f'nightjar_request_seconds_bucket{{route="/predict",le="{HOSTILE}"}} 1')
    visit.replace("/predict", problem, 422)
    page = visit.open(380)
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_contain_text(HOSTILE)
    expect(page.locator("dd").filter(has_text=HOSTILE[:12]).first).to_be_visible()
    assert page.locator("img").count() == 0 and page.locator("script").count() == 1
    assert page.title() != "owned"
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    shoot(page, "hostile-380-light")


def test_a_key_is_requested_where_one_is_needed(visit: Visit):
    refusal = {"error": "send a valid key in the header x-api-key", "request_id": "r", "fields": []}

    def guard(route: Route) -> None:
        if route.request.headers.get("x-api-key") == "nj_key":
            route.continue_()
        else:
            route.fulfill(status=401, content_type="application/json", body=json.dumps(refusal))

    visit.page.route(visit.base + "/predict", guard)
    page = visit.open()
    key = page.get_by_label("API key")
    expect(key).to_be_hidden()
    page.get_by_role("button", name="Predict").click()
    expect(key).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("send a valid key")
    shoot(page, "key-1280-light")
    key.fill("nj_key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("meter")).to_be_visible()


def test_percentiles_are_interpolated_from_the_histogram(visit: Visit):
    lines = [
        '# HELP nightjar_request_seconds "le" of {route="/predict"}',
        'nightjar_request_seconds_bucket{le="0.001",route="/predict"} 50.0',
        'nightjar_request_seconds_bucket{le="0.002",route="/predict"} 90.0',
        'nightjar_request_seconds_bucket{le="0.01",route="/predict"} 98.0',
        'nightjar_request_seconds_bucket{le="+Inf",route="/predict"} 100.0',
        'nightjar_request_seconds_bucket{le="+Inf",route="/health"} 9000.0',
        'nightjar_requests_total{route="/predict",status="200"} 97.0',
        'nightjar_requests_total{route="/predict",status="503"} 3.0',
    ]
    visit.replace("/metrics", "\n".join(lines))
    page = visit.open()
    # 95 of 100: 5 of the 8 in the bucket from 2 to 10 ms. 99 of 100: beyond the last bound.
    expect(page.locator("#quantiles dd")).to_have_text(["1 ms", "7 ms", "over 10 ms", "100", "3"])


def test_the_page_works_without_metrics(visit: Visit):
    visit.replace("/metrics", {"error": "Not Found"}, 404)
    page = visit.open()
    expect(page.locator("#latency-note")).to_have_text("No request has been counted yet.")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("meter")).to_be_visible()


def test_every_control_is_reached_by_keyboard_and_shows_its_focus(visit: Visit):
    page = visit.open()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached[:5] == ["Skip to the form", "text_length", "num_keywords", "Predict", "Reset to examples"]
    unnamed = "[...document.querySelectorAll('input, select')].filter(field => field.labels.length === 0).length"
    assert page.evaluate(unnamed) == 0


@pytest.mark.parametrize("typed", ["3", "three", "101"], ids=["an answer", "a refusal", "a warning"])
def test_nothing_is_between_the_page_and_who_reads_it_by_ear_or_on_a_phone(visit: Visit, typed: str):
    page = visit.open()
    assert faults(page) == []
    page.get_by_label("num_keywords").fill(typed)
    with page.expect_response("**/predict"):
        page.keyboard.press("Enter")
    expect(page.locator("#answer, #problem").filter(visible=True)).to_have_count(1)
    assert faults(page) == []


def test_nothing_is_between_the_documentation_and_its_reader(visit: Visit):
    visit.page.goto(visit.base + "/docs")
    expect(visit.page.locator("h2").first).to_be_visible()
    assert faults(visit.page) == []


def test_the_files_have_security_headers_and_are_revalidated(service: Service):
    for path, media_type in FILES.items():
        answer = service.client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")
        assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-cache"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        again = service.client.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert service.client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    assert not set(FILES) & set(service.client.get("/openapi.json").json()["paths"])


# --- /docs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [380, 1280])
def test_the_documentation_needs_no_other_host(visit: Visit, service: Service, width: int):
    """The fixture checks that every request went to the service."""
    page = visit.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(visit.base + "/docs")
    described = service.client.get("/openapi.json").json()["paths"]
    titles = [f"{method.upper()} {path}" for path, methods in described.items() for method in methods]
    expect(page.locator("h2")).to_have_text(titles)
    predict = page.locator("section", has_text="POST /predict").first
    expect(predict.get_by_role("row").filter(has_text="num_keywords")).to_contain_text("Usually at most 100.")
    expect(predict.locator("pre")).to_contain_text('"text_length":120')
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert visit.problems == []
    shoot(page, f"docs-{width}-light")


def test_a_body_of_two_kinds_has_a_table_and_an_example_of_each(visit: Visit, service: Service):
    description = service.client.get("/openapi.json").json()
    description["components"]["schemas"] |= components(SCHEMA)
    content = description["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    content["schema"] = one_record(SCHEMA)
    visit.replace("/openapi.json", description)
    visit.page.goto(visit.base + "/docs")
    predict = visit.page.locator("section", has_text="POST /predict").first
    expect(predict.locator("h3")).to_have_text(["Body: Record", "Example", "Body: Features", "Example", "Answers"])
    examples = predict.locator("pre")
    expect(examples.nth(0)).to_contain_text('{"text":"a bad day"}')
    expect(examples.nth(1)).to_contain_text('{"text_length":120,"num_keywords":3}')
    assert visit.problems == []


def test_text_in_the_description_is_never_markup(visit: Visit, service: Service):
    description = service.client.get("/openapi.json").json()
    description["components"]["schemas"]["Record"]["properties"] = {
        HOSTILE: {"type": HOSTILE, "description": HOSTILE, "examples": [HOSTILE]}
    }
    description["paths"]["/predict"]["post"]["summary"] = HOSTILE
    visit.replace("/openapi.json", description)
    visit.page.goto(visit.base + "/docs")
    expect(visit.page.get_by_text(HOSTILE).first).to_be_visible()
    assert visit.page.locator("img").count() == 0 and visit.page.title() != "owned"


def test_a_description_that_cannot_be_had_is_told(visit: Visit):
    visit.replace("/openapi.json", {"error": "busy"}, 429)
    visit.page.goto(visit.base + "/docs")
    expect(visit.page.get_by_role("status")).to_contain_text("/openapi.json answered 429")
