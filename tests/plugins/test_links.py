"""Links to pages: where a document opens on AWS and elsewhere, and what a task's button gets."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, task
from nightjar import links
from nightjar.links import PageLink, add_pages, linked, page_url

CONSOLE = "http://127.0.0.1:8080/nightjar/jobs"
URI = "s3://artifact/data-docs/flights/k#1?/index.html"


def client(endpoint: str) -> Any:
    return SimpleNamespace(meta=SimpleNamespace(endpoint_url=endpoint, region_name="eu-west-1"))


AWS, LOCAL = client("https://s3.eu-west-1.amazonaws.com"), client("http://127.0.0.1:4566")


def test_on_aws_a_document_opens_in_the_console_and_the_address_has_no_signature() -> None:
    assert page_url(URI, AWS) == (
        "https://console.aws.amazon.com/s3/object/artifact?region=eu-west-1&"
        "prefix=data-docs%2Fflights%2Fk%231%3F%2Findex.html"
    )


def test_elsewhere_it_opens_in_that_endpoints_console_if_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert page_url(URI, LOCAL) == ""
    monkeypatch.setenv("AIRFLOW__NIGHTJAR__CONSOLE_URL", CONSOLE)
    assert page_url(URI, LOCAL) == f"{CONSOLE}/objects/artifact/data-docs/flights/k%231%3F/index.html"


@pytest.mark.parametrize("client", [AWS, LOCAL])
def test_a_page_opens_as_it_is_and_anything_else_not_at_all(client: Any) -> None:
    assert page_url("http://127.0.0.1:8000", client) == "http://127.0.0.1:8000"
    assert page_url("javascript:alert(1)", client) == ""


def test_a_task_has_a_button_for_each_page_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with DAG("d", schedule=None):

        @task
        def decide() -> None: ...

        operator = linked(decide(), "Decision", "Evaluation").operator
    monkeypatch.setattr(links, "get_current_context", lambda: {"task": operator})
    monkeypatch.setattr(links, "S3Hook", lambda **_: SimpleNamespace(conn=AWS))
    add_pages({"Decision": "http://one"})
    add_pages({"Other": "http://two"})
    found = {link.name: link.get_link(operator, ti_key=None) for link in operator.operator_extra_links}
    assert found == {"Decision": "http://one", "Evaluation": ""}
    assert len({link.xcom_key for link in operator.operator_extra_links}) == 2, "each link is kept by itself"


def test_outside_a_task_nothing_is_named() -> None:
    add_pages({"Decision": "http://one"})
    assert PageLink("Decision").get_link(SimpleNamespace(), ti_key=None) == ""  # type: ignore[arg-type]


def test_only_tasks_have_buttons() -> None:
    with pytest.raises(TypeError, match="not the result of one task"):
        linked("decide", "Decision")
