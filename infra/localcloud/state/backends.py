"""The names of moto's backends, and which of them a thread reaches while it handles a request."""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend

from infra.localcloud.state.errors import UnstorableError


class BackendName(NamedTuple):
    """Names one backend in every process.

    Attributes:
        variable: The module and variable of moto's backends of the service, such as ``moto.sqs.models:sqs_backends``.
        account: The account.
        region: The region, or the partition of a global service.
    """

    variable: str
    account: str
    region: str


_reached = threading.local()
_variables: dict[int, str] = {}
_names: dict[int, tuple[BaseBackend, BackendName]] = {}


@contextmanager
def changed_backends() -> Iterator[dict[int, BaseBackend]]:
    """Collects the backends that this thread reaches during a request that may change them, by their ``id()``."""
    with _collecting("changed") as found:
        yield found


@contextmanager
def read_backends() -> Iterator[dict[int, BaseBackend]]:
    """Collects the backends that this thread reaches during a request that only reads."""
    with _collecting("read") as found:
        yield found


@contextmanager
def _collecting(purpose: str) -> Iterator[dict[int, BaseBackend]]:
    found: dict[int, BaseBackend] = {}
    _reached.backends, _reached.purpose = found, purpose
    try:
        yield found
    finally:
        _reached.backends = _reached.purpose = None


def is_collecting() -> bool:
    """Whether this thread handles a request that may change state."""
    return getattr(_reached, "purpose", None) == "changed"


def observe() -> None:
    """Makes moto's backend dictionaries report each access. Calling it again does nothing."""
    original = AccountSpecificBackend.__getitem__
    if getattr(original, "reports", False):
        return

    def reporting(self: AccountSpecificBackend[Any], region_name: str) -> BaseBackend:
        backend: BaseBackend = original(self, region_name)
        found = getattr(_reached, "backends", None)
        if found is not None:
            found[id(backend)] = backend
        return backend

    reporting.reports = True  # type: ignore[attr-defined]  # a mark on the function
    AccountSpecificBackend.__getitem__ = reporting  # type: ignore[method-assign, assignment]  # moto offers no hook


def name_of(backend: BaseBackend) -> BackendName:
    """Finds the name of a backend.

    Raises:
        UnstorableError: No dictionary of moto contains it.
    """
    known = _names.get(id(backend))
    if known is None or known[0] is not backend:
        known = _names[id(backend)] = backend, _find_name(backend)
    return known[1]


def _find_name(backend: BaseBackend) -> BackendName:
    known_backends: list[BackendDict[Any]] = getattr(BackendDict, "_instances")  # noqa: B009 - generic for mypy
    for backends in list(known_backends):
        of_account = dict.get(backends, backend.account_id)
        for region, known in list(dict.items(of_account or {})):
            if known is backend:
                return BackendName(_variable(backends), backend.account_id, region)
    raise UnstorableError(f"{type(backend).__qualname__} is in no dictionary of moto's backends")


def _variable(backends: BackendDict[Any]) -> str:
    """The variable of the module that defines the backend's class; other modules import it."""
    known = _variables.get(id(backends))
    if known is None:
        modules = [kind.__module__ for kind in backends.backend.__mro__ if kind.__module__.startswith("moto.")]
        known = _variables[id(backends)] = next(
            f"{module}:{variable}"
            for module in modules
            for variable, value in vars(sys.modules[module]).items()
            if value is backends
        )
    return known


def backend_named(name: BackendName) -> BaseBackend:
    """Returns the backend with this name, and creates it if it does not exist."""
    module, variable = name.variable.split(":")
    backend: BaseBackend = getattr(importlib.import_module(module), variable)[name.account][name.region]
    return backend
