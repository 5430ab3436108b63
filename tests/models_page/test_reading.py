"""What the page is told: the state of a workload, its versions by parts, the plot, and the details of one version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.support.models_page import DAG, Person, Sources, made, page

pytestmark = pytest.mark.usefixtures("aws")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def vera(person: Callable[[str], Person]) -> Person:
    return person("vera")


def test_the_overview_says_what_is_live_and_what_the_user_may_do(vera: Person, person: Callable[[str], Person]) -> None:
    found = vera.get(f"api/{DAG}").json()
    assert (found["workload"], found["live"]["version"], found["waiting"]) == ("flights", 2, [3])
    assert (found["may_change"], person("uma").get(f"api/{DAG}").json()["may_change"]) == (False, True)
    assert found["pages"] == {"Deploys": f"/dags/{DAG}", "Audit log": f"/dags/{DAG}/events"}


def test_the_monitors_values_are_shown_or_not_measured_yet(vera: Person) -> None:
    measured = {one["title"]: one["value"] for one in vera.get(f"api/{DAG}").json()["monitoring"]}
    assert measured["features that drifted"] == 2 and measured["AUC in production"] == 0.6912
    assert measured["largest PSI of a feature"] is None


def test_a_cloudwatch_that_is_out_of_reach_hides_nothing_else(vera: Person, aws: Sources) -> None:
    def refuse(**_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    aws.get_metric_data = refuse  # type: ignore[method-assign]
    found = vera.get(f"api/{DAG}").json()
    assert found["monitoring"] == [] and found["live"]["version"] == 2


def test_a_denied_call_is_told_with_its_permission(vera: Person, aws: Sources) -> None:
    def refuse(**_: Any) -> Any:
        error: Any = {
            "Error": {"Code": "AccessDeniedException", "Message": "not authorized: sagemaker:ListModelPackages"}
        }
        raise ClientError(error, "ListModelPackages")

    aws.registry.listed = refuse  # type: ignore[method-assign]
    answer = vera.get(f"api/{DAG}")
    assert answer.status_code == 503 and "sagemaker:ListModelPackages" in answer.json()["detail"]


@pytest.mark.parametrize(("code", "again"), [("ExpiredToken", True), ("ThrottlingException", False)])
def test_clients_whose_credentials_have_ended_are_made_anew(
    vera: Person, aws: Sources, monkeypatch: pytest.MonkeyPatch, code: str, again: bool
) -> None:
    forgotten: list[bool] = []
    monkeypatch.setattr(page.sources, "forget_clients", lambda: forgotten.append(True))

    def refuse(**_: Any) -> Any:
        error: Any = {"Error": {"Code": code, "Message": "no"}}
        raise ClientError(error, "ListModelPackages")

    aws.registry.listed = refuse  # type: ignore[method-assign]
    assert vera.get(f"api/{DAG}").status_code == 503
    assert bool(forgotten) == again


def test_the_table_comes_in_parts(vera: Person, aws: Sources) -> None:
    aws.registry.packages = [made(number) for number in range(1, 121)]
    first = vera.get(f"api/{DAG}/versions").json()
    assert [row["version"] for row in first["rows"]] == [*range(120, 70, -1)] and first["more"] == 70
    last = vera.get(f"api/{DAG}/versions?before=21").json()
    assert [row["version"] for row in last["rows"]] == [*range(20, 0, -1)] and last["more"] == 0


@pytest.mark.parametrize("query", ["before=0", "before=x", "limit=0", "limit=1000"])
def test_a_wrong_part_is_refused(vera: Person, query: str) -> None:
    assert vera.get(f"api/{DAG}/versions?{query}").status_code == 422


def test_the_plot_has_every_version_from_the_oldest(vera: Person) -> None:
    assert [(point["v"], point["s"]) for point in vera.get(f"api/{DAG}/points").json()] == [
        (1, "approved"), (2, "live"), (3, "waits"),
    ]  # fmt: skip


def test_the_details_link_to_the_documents_that_a_console_shows(
    vera: Person, aws: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__NIGHTJAR__CONSOLE_URL", "http://127.0.0.1:8080/nightjar/jobs")
    aws.registry.packages[0] = made(3, "PendingManualApproval", card_uri="s3://nj-artifact/jobs/flights/card.html")
    aws.state.items["day#flights", "2013-03-04"] = {"status": "published", "run": "k1"}
    pages = vera.get(f"api/{DAG}/versions/3").json()["pages"]
    console = "http://127.0.0.1:8080/nightjar/jobs/objects/nj-artifact"
    assert pages == {
        "Model card": f"{console}/jobs/flights/card.html",
        "Evaluation": f"{console}/jobs/flights/evaluation/3/evaluation.json",
        "Decision": f"{console}/decisions/flights/3.json",
        "Data Docs": f"{console}/data-docs/flights/k1/index.html",
    }


def test_where_no_console_shows_documents_none_is_linked(vera: Person) -> None:
    assert vera.get(f"api/{DAG}/versions/3").json()["pages"] == {}


def test_a_version_that_does_not_exist(vera: Person) -> None:
    answer = vera.get(f"api/{DAG}/versions/99")
    assert answer.status_code == 422 and "no version 99" in answer.json()["detail"]


def test_values_of_the_registry_are_json_and_never_markup(vera: Person, aws: Sources) -> None:
    aws.registry.packages[0] = made(3, "Rejected", HOSTILE, code_sha=HOSTILE, evaluation_uri="javascript:alert(1)//x")
    for path in (f"api/{DAG}", f"api/{DAG}/versions", f"api/{DAG}/versions/3"):
        answer = vera.get(path)
        assert answer.headers["content-type"] == "application/json"
    assert answer.json()["made_from"]["code"] == HOSTILE and "Evaluation" not in answer.json()["pages"]
