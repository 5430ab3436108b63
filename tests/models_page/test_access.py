"""Every route checks Airflow's permissions: also one that is added tomorrow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.models.log import Log
from airflow.utils.session import create_session
from fastapi.routing import APIRoute
from models_page.app import app
from sqlalchemy import select

from tests.support.models_page import DAG, HEADERS, PREFIX, REASON, Person, Sources

pytestmark = pytest.mark.usefixtures("aws")
UNTIL = (datetime.now(UTC) + timedelta(days=30)).isoformat()
ROUTES = [(route, method) for route in app.routes if isinstance(route, APIRoute) for method in route.methods]
EVERY = pytest.mark.parametrize(("route", "method"), ROUTES, ids=lambda value: getattr(value, "path", value))
# What every user of Airflow gets: the page without data, and the list of what that user may read.
FOR_ALL = {"/", "/api/workloads"}
CHANGES = sorted(route.path for route, method in ROUTES if method == "POST")


def path(route: APIRoute | str) -> str:
    text = route if isinstance(route, str) else route.path
    return PREFIX + text.replace("{dag_id}", DAG).replace("{number}", "3")


def request(someone: Person, route: Any, method: str, headers: dict[str, str] = HEADERS) -> Any:
    short = path(route).removeprefix(f"{PREFIX}/")
    return someone.get(short) if method == "GET" else someone.post(short, headers, until=UNTIL)


def test_there_are_routes_of_both_kinds_and_no_others() -> None:
    assert {method for _, method in ROUTES} == {"GET", "POST"} and len(CHANGES) == 8
    assert all(isinstance(route, APIRoute) for route in app.routes), "a mounted application checks nothing"


@EVERY
def test_who_is_not_logged_in_gets_nothing(
    person: Callable[[str], Person], aws: Sources, route: APIRoute, method: str
) -> None:
    answer = request(person(""), route, method)
    assert answer.status_code == 401
    assert aws.registry.lists == [] and aws.registry.changes == []


@EVERY
def test_a_viewer_reads_and_changes_nothing(
    person: Callable[[str], Person], aws: Sources, route: APIRoute, method: str
) -> None:
    before = dict(aws.state.items)
    answer = request(person("vera"), route, method)
    assert answer.status_code == (200 if method == "GET" else 403), answer.text
    assert aws.registry.changes == [] and aws.state.items == before


@EVERY
def test_who_has_no_right_on_the_dag_reads_nothing_of_it(
    person: Callable[[str], Person], aws: Sources, route: APIRoute, method: str
) -> None:
    answer = request(person("nora"), route, method)
    assert answer.status_code == (200 if route.path in FOR_ALL else 403)
    assert aws.registry.lists == []


def test_the_list_has_what_the_user_may_read(person: Callable[[str], Person]) -> None:
    assert person("nora").get("api/workloads").json() == []
    listed = person("vera").get("api/workloads").json()
    assert {"dag_id": DAG, "workload": "flights"} in listed


@pytest.mark.parametrize("route", CHANGES)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-nightjar-page": "other"}, 403),
        ({**HEADERS, "sec-fetch-site": "cross-site"}, 403),
        ({**HEADERS, "sec-fetch-site": "same-site"}, 403),
        ({**HEADERS, "content-type": "text/plain"}, 415),
        ({**HEADERS, "content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_another_page_cannot_make_a_change_in_the_users_name(
    person: Callable[[str], Person], aws: Sources, route: str, headers: dict[str, str], status: int
) -> None:
    before = dict(aws.state.items)
    assert request(person("ann"), route, "POST", headers).status_code == status
    assert aws.registry.changes == [] and aws.state.items == before


@pytest.mark.parametrize("dag_id", ["flights_retrain", "unknown_deploy", "~", "flights"])
def test_only_deploy_dags_that_exist_are_workloads(person: Callable[[str], Person], dag_id: str) -> None:
    assert person("ann").get(f"api/{dag_id}").status_code == 404


@pytest.mark.parametrize("route", CHANGES)
def test_a_change_is_in_airflows_audit_log_and_a_refused_one_is_not(
    person: Callable[[str], Person], route: str
) -> None:
    def entries() -> list[Log]:
        with create_session() as session:
            return list(session.scalars(select(Log).where(Log.dag_id == DAG).order_by(Log.id)))

    before = len(entries())
    request(person("vera"), route, "POST")
    assert len(entries()) == before
    request(person("uma"), route, "POST")
    (entry,) = entries()[before:]
    assert entry.owner == "uma" and REASON in (entry.extra or "") and "model" in entry.event
