"""Starts the endpoint and ends it: moto's application, with our services in it and our middleware around it."""

from __future__ import annotations

import os
import signal
import sys
import threading

from infra.localcloud.background import report_exception
from infra.localcloud.config import Config

REVIVE_SECONDS = 5.0


def run(config: Config) -> int:
    """Serves until SIGTERM or SIGINT, then ends every job that it started.

    Returns:
        The exit code: 0, or 1 when the server stopped serving by itself.
    """
    os.umask(0o077)  # state and logs contain secrets and data
    # The operator's AWS settings are meant for clients. botocore inside moto would fail on some (a profile, say).
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    # moto reads these when it is imported. Without an account of its own it would look up every key in all accounts.
    os.environ["MOTO_ACCOUNT_ID"] = config.account
    os.environ["MOTO_PORT"] = str(config.port)
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    # No instance runs here (RunInstances is refused): moto's 1,301 example images would only slow down each EC2 write.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from infra.localcloud.authorization import moto_checks, tables
    from infra.localcloud.authorization.doors import Doors
    from infra.localcloud.authorization.middleware import Authorization
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
    from infra.localcloud.wsgi import serve

    config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.state.chmod(0o700)
    moto_checks.switch_off()
    state = StateStore(config)
    requests = RequestFile(config.state / NAME)
    identity = RoleIdentity(config, requests)
    runner = Runner(config, identity)
    context = Context(config, identity, runner, state)
    install_all(context)
    state.restore(context)
    moto = ServiceLocks(StoreWrites(DomainDispatcherApplication(create_backend_app), state))
    services = RefuseUnsupported(S3Requests(moto, installed_store(), config.account, config.region))
    judged = Authorization(services, identity.principals, config.account, config.region)
    logged = RequestLog(judged, requests, routing.operation)
    application = HealthCheck(Doors(logged, config.host, config.port), config, runner.background)
    server = serve(config.host, config.port, application)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    failed = threading.Event()

    def serve_requests() -> None:
        try:
            server.serve_forever()
        except BaseException:
            report_exception("server")
        if not stopping.is_set():
            failed.set()
            stopping.set()

    # AWS's tables take half a second to read: they are ready when the first role asks.
    runner.background.run("tables", tables.service, "s3")
    threading.Thread(target=serve_requests, name="server", daemon=True).start()
    state.resume()
    sys.stdout.write(
        f"Local cloud ready at {config.endpoint} (account {config.account}, {config.region}, state {config.state})\n"
    )
    sys.stdout.flush()
    while not stopping.wait(REVIVE_SECONDS):
        runner.background.revive()
    # Jobs end first: their last requests are still answered and recorded.
    runner.close()
    server.shutdown()
    state.close()
    return int(failed.is_set())
