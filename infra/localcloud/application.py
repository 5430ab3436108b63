"""The application: moto's, with our services in it and our middleware around it.

Imported after :func:`infra.localcloud.server.prepare_moto`, because moto reads its settings when it is imported.
"""

from __future__ import annotations

from dataclasses import dataclass

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from infra.localcloud.authorization import moto_checks
from infra.localcloud.authorization.doors import Doors
from infra.localcloud.authorization.middleware import Authorization
from infra.localcloud.config import Config
from infra.localcloud.health import HealthCheck
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.install import Context, install_all
from infra.localcloud.jobs import Runner
from infra.localcloud.refuse import RefuseUnsupported
from infra.localcloud.request_file import NAME, RequestFile
from infra.localcloud.request_log import RequestLog
from infra.localcloud.s3 import installed_store, routing
from infra.localcloud.s3.responses import S3Requests
from infra.localcloud.service_locks import ServiceLocks
from infra.localcloud.state import StateStore
from infra.localcloud.state.middleware import StoreWrites


@dataclass(frozen=True)
class Application:
    """What serves, and what must be ended.

    Attributes:
        wsgi: Answers a request.
        runner: The jobs.
        state: The stored state, which is restored.
    """

    wsgi: HealthCheck
    runner: Runner
    state: StateStore


def assemble(config: Config) -> Application:
    """Installs our services in moto, restores the state, and puts the middleware around them."""
    moto_checks.switch_off()
    state = StateStore(config)
    requests = RequestFile(config.state / NAME)
    identity = RoleIdentity(config, requests)
    runner = Runner(config, identity)
    context = Context(config, identity, runner, state)
    with runner.background.held():
        install_all(context)
        state.restore(context)
    moto = ServiceLocks(StoreWrites(DomainDispatcherApplication(create_backend_app), state))
    services = RefuseUnsupported(S3Requests(moto, installed_store(), config.account, config.region))
    judged = Authorization(services, identity.principals, config.account, config.region)
    logged = RequestLog(judged, requests, routing.operation)
    return Application(HealthCheck(Doors(logged, config.host, config.port), config, runner.background), runner, state)
