"""``python -m tests.support.warm_cloud`` forks local clouds (:mod:`tests.support.warm_process`)."""

from __future__ import annotations

import importlib

from tests.support.warm_process import fork_on_demand

MODULE = "tests.support.warm_cloud"
ACCOUNT = "123456789012"


def main() -> None:
    """Imports what a server imports, then forks."""
    from infra.localcloud.server import prepare_moto

    prepare_moto(ACCOUNT, 0)
    from moto.moto_api._internal import mock_random

    from infra.localcloud.__main__ import main as serve
    from infra.localcloud.authorization import tables
    from infra.localcloud.state import shape

    importlib.import_module("infra.localcloud.application")
    shape.versions()  # imports all services
    tables.service("s3")

    def serve_with_ids_of_its_own() -> int:
        mock_random.seed()
        return serve()

    fork_on_demand(serve_with_ids_of_its_own)


if __name__ == "__main__":
    main()
