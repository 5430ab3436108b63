"""The route table is complete, and a route is internal unless the table says otherwise."""

from __future__ import annotations

import pytest
from starlette.routing import Route as StarletteRoute

from serving.app import ServiceApp
from serving.middleware import ServiceMiddleware
from serving.routes import ROUTES, is_public
from serving.state import State
from tests.support.asgi import request
from tests.support.serving_state import make_state

PUBLIC = {"/predict", "/predict/batch", "/feedback", "/health", "/ready"}
PORT, INTERNAL_PORT = 8080, 9090
# Routes that FastAPI adds unless they are switched off.
AUTOMATIC = ("/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc")


@pytest.fixture(scope="module")
def state() -> State:
    return make_state(port=PORT, internal_port=INTERNAL_PORT)


def methods_by_path(app: ServiceApp) -> dict[str, set[str]]:
    """Every route that FastAPI answers."""
    methods: dict[str, set[str]] = {}
    for route in app.routes:
        assert isinstance(route, StarletteRoute), "a mount is not in the table"
        methods.setdefault(route.path, set()).update(route.methods or ())
    return methods


def status(app: ServiceMiddleware, path: str, port: int, method: str = "GET") -> int:
    return request(app, method, path, port=port).status_code


def test_the_application_has_the_routes_of_the_table_and_no_other(state: State):
    expected = {route.path: {*route.methods, *({"HEAD"} if "GET" in route.methods else ())} for route in ROUTES}
    assert methods_by_path(ServiceApp(state)) == expected


def test_the_public_routes_are_these():
    assert {route.path for route in ROUTES if route.public} == PUBLIC


def test_the_public_port_answers_public_routes_only(state: State):
    app = ServiceApp(state)
    service = ServiceMiddleware(state, app)
    for path, methods in [*methods_by_path(app).items(), *((path, {"GET"}) for path in AUTOMATIC)]:
        for method in methods:
            assert (status(service, path, PORT, method) != 404) == (path in PUBLIC), f"{method} {path}"


def test_the_internal_port_answers_every_route(state: State):
    service = ServiceMiddleware(state, ServiceApp(state))
    for route in ROUTES:
        for method in route.methods:
            assert status(service, route.path, INTERNAL_PORT, method) != 404, f"{method} {route.path}"


def test_without_an_internal_port_every_route_is_answered():
    state = make_state(port=PORT)
    service = ServiceMiddleware(state, ServiceApp(state))
    assert all(status(service, route.path, PORT, route.methods[0]) != 404 for route in ROUTES)


def test_a_route_that_is_not_in_the_table_is_internal(state: State):
    app = ServiceApp(state)
    app.add_api_route("/added", lambda: "secret", methods=["GET"])
    service = ServiceMiddleware(state, app)
    assert (status(service, "/added", PORT), status(service, "/added", INTERNAL_PORT)) == (404, 200)


@pytest.mark.parametrize("path", AUTOMATIC[2:])
def test_the_automatic_routes_that_are_not_needed_are_switched_off(state: State, path: str):
    assert status(ServiceMiddleware(state, ServiceApp(state)), path, INTERNAL_PORT) == 404


@pytest.mark.parametrize(
    ("path", "public"),
    [
        ("/predict", True),
        ("/predict/", True),
        ("/version", False),
        ("/version/", False),
        ("/", False),
        ("", False),
        ("/PREDICT", False),
        ("/predict/other", False),
        ("/docs/oauth2-redirect", False),
    ],
)
def test_a_path_is_public_only_if_the_table_says_so(path: str, public: bool):
    assert is_public(path) == public


def test_a_hidden_route_cannot_be_told_from_a_missing_one(state: State):
    service = ServiceMiddleware(state, ServiceApp(state))
    hidden, missing = (request(service, "GET", path, port=PORT) for path in ("/version", "/none"))
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    assert dict(hidden.headers) == dict(missing.headers)


def test_the_description_has_the_routes_with_an_operation(state: State):
    paths = ServiceApp(state).openapi()["paths"]
    assert {path: set(operations) for path, operations in paths.items()} == {
        route.path: {method.lower() for method in route.methods} for route in ROUTES if route.operation is not None
    }


def test_the_description_has_503_where_a_route_waits_for_the_bundle(state: State):
    """``/health`` does not: ``serving.startup`` answers it with 200."""
    paths = ServiceApp(state).openapi()["paths"]
    texts = {
        path: get["get"]["responses"].get("503", {}).get("description") for path, get in paths.items() if "get" in get
    }
    waiting = dict.fromkeys(("/ready", "/version", "/golden", "/metrics"), "the model is not loaded yet")
    assert texts == {"/health": None, **waiting}
