"""Starts the endpoint and ends it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from functools import cache

import botocore.session

from infra.localcloud.background import report_exception
from infra.localcloud.config import Config
from infra.localcloud.service_descriptions import read_descriptions_without_documentation

REVIVE_SECONDS = 5.0


def prepare_moto(account: str, port: int) -> None:
    """Sets what moto reads when it is imported."""
    # The operator's AWS settings are meant for clients. botocore inside moto would fail on some (a profile, say).
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    # Without an account of its own moto would look up every key in all accounts.
    os.environ["MOTO_ACCOUNT_ID"] = account
    os.environ["MOTO_PORT"] = str(port)
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    # No instance runs here (RunInstances is refused): moto's 1,301 example images would only slow down each EC2 write.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    read_descriptions_without_documentation()
    # moto makes a dozen sessions of botocore when it is imported, and each would read AWS's list of endpoints again.
    botocore.session.create_loader = cache(botocore.session.create_loader)
    from infra.localcloud.instance_offerings import read_offerings_when_asked

    read_offerings_when_asked()


def run(config: Config) -> int:
    """Serves until SIGTERM or SIGINT, then ends every job that it started.

    Returns:
        The exit code: 0, or 1 when the server stopped serving by itself.
    """
    os.umask(0o077)  # state and logs contain secrets and data
    prepare_moto(config.account, config.port)
    from infra.localcloud.application import assemble
    from infra.localcloud.authorization import tables
    from infra.localcloud.wsgi import serve

    config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.state.chmod(0o700)
    application = assemble(config)
    runner, state = application.runner, application.state
    server = serve(config.host, config.port, application.wsgi)
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
