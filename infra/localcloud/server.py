"""Starts the endpoint and ends it: moto's application, with our services in it and our middleware around it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from infra.localcloud.config import Config

HEALTH = "/_nightjar/health"


class HealthCheck:
    """WSGI middleware that answers the health check and passes everything else on."""

    def __init__(self, application: WSGIApplication, config: Config) -> None:
        self._application = application
        self._body = json.dumps({"status": "ok", "pid": os.getpid(), "endpoint": config.endpoint}).encode()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        if environ.get("PATH_INFO") != HEALTH:
            return self._application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(self._body)))])
        return [self._body]


def run(config: Config) -> None:
    """Serves until SIGTERM or SIGINT, then ends every job that it started."""
    # The operator's AWS settings are meant for clients. botocore inside moto would fail on some (a profile, say).
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    # moto reads these when it is imported. Without an account of its own it would look up every key in all accounts.
    os.environ["MOTO_ACCOUNT_ID"] = config.account
    os.environ["MOTO_PORT"] = str(config.port)
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    # What the server writes is the operator's alone: state holds secrets in clear.
    os.umask(0o077)
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from infra.localcloud.authorization import moto_checks, tables
    from infra.localcloud.authorization.doors import Doors
    from infra.localcloud.authorization.middleware import Authorization
    from infra.localcloud.identity import RoleIdentity
    from infra.localcloud.install import Context, install_all
    from infra.localcloud.jobs import Runner
    from infra.localcloud.refuse import RefuseUnsupported
    from infra.localcloud.request_log import RequestLog
    from infra.localcloud.service_locks import ServiceLocks
    from infra.localcloud.wsgi import serve

    config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.state.chmod(0o700)
    moto_checks.switch_off()
    identity = RoleIdentity(config)
    runner = Runner(config, identity)
    install_all(Context(config, identity, runner))
    moto = RefuseUnsupported(ServiceLocks(DomainDispatcherApplication(create_backend_app)))
    judged = Authorization(moto, identity.principals, config.account, config.region)
    logged = RequestLog(judged, config.state / "requests.jsonl")
    application = HealthCheck(Doors(logged, config.host, config.port), config)
    server = serve(config.host, config.port, application)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    # AWS's tables take half a second to read: they are ready when the first role asks.
    threading.Thread(target=tables.service, args=["s3"], name="tables", daemon=True).start()
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    sys.stdout.write(
        f"Local cloud ready at {config.endpoint} (account {config.account}, {config.region}, state {config.state})\n"
    )
    sys.stdout.flush()
    stopping.wait()
    # Jobs end first: their last requests are still answered and recorded.
    runner.close()
    server.shutdown()
