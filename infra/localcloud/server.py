"""Starts the endpoint and ends it: moto's application, with our services in it and our middleware around it."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterable
from typing import Any

from .config import Config

HEALTH = "/_nightjar/health"


class Health:
    """WSGI middleware that answers the health check; everything else goes on."""

    def __init__(self, application: Any, config: Config) -> None:
        self._application = application
        self._body = json.dumps({"status": "ok", "pid": os.getpid(), "endpoint": config.endpoint}).encode()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != HEALTH:
            return self._application(environ, start_response)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(self._body)))])
        return [self._body]


def run(config: Config) -> None:
    """Serves until SIGTERM or SIGINT; then ends every job that it started."""
    # The operator's own AWS settings are for clients; botocore inside moto would trip over them (a profile, say).
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    # moto reads these when it is imported. Without an account of its own, every key would be looked up in all accounts.
    os.environ["MOTO_ACCOUNT_ID"] = config.account
    os.environ["MOTO_PORT"] = str(config.port)
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from .identity import Identity
    from .install import Context, install_all
    from .jobs import Runner
    from .record import Record
    from .refuse import Refuse
    from .serialize import Serialize
    from .wsgi import serve

    config.state.mkdir(parents=True, exist_ok=True)
    identity = Identity(config)
    runner = Runner(config, identity)
    install_all(Context(config, identity, runner))
    moto = Refuse(Serialize(DomainDispatcherApplication(create_backend_app)))
    application = Health(Record(moto, identity, config.state / "requests.jsonl"), config)
    server = serve(config.host, config.port, application)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, name="server", daemon=True).start()
    print(
        f"Local cloud ready at {config.endpoint} (account {config.account}, {config.region}, state {config.state})",
        flush=True,
    )
    stopping.wait()
    # Jobs first: what they still say on their way out is answered and recorded.
    runner.close()
    server.shutdown()
