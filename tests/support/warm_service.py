"""``python -m tests.support.warm_service`` forks prediction services (:mod:`tests.support.warm_process`)."""

from __future__ import annotations

import importlib

from tests.support.warm_process import fork_on_demand

MODULE = "tests.support.warm_service"
LOADED = ("sklearn.linear_model", "sklearn.pipeline")  # by the bundle of the tests


def main() -> None:
    """Imports what a service imports, then forks."""
    from serving import supervisor

    for name in LOADED:
        importlib.import_module(name)
    fork_on_demand(supervisor.main)


if __name__ == "__main__":
    main()
