"""The one model of this process: fetched, checked and proven in a thread, so that ``/health`` answers meanwhile.

A process never changes its model. One that cannot prove its bundle says why, in its log and in ``/ready``, and exits with
:data:`EXIT_CODE` after ``exit_delay_seconds``, so that ECS sees a failed task and rolls the deployment back.
"""

from __future__ import annotations

import logging
import os
import threading
import time

from include.training import bundle
from include.training.bundle import Bundle, BundleError
from serving.engine import Engine, SklearnEngine
from serving.settings import Settings
from serving.source import SourceError, fetch

EXIT_CODE = 3
log = logging.getLogger(__name__)


class NotReady(Exception):
    """There is no proven model (yet); the text says why."""


class LoadedModel:
    """A proven bundle and the engine that scores it."""

    def __init__(self, loaded: Bundle, engine: Engine) -> None:
        self.bundle = loaded
        self.engine = engine


class ModelHolder:
    """Loads once; ``current`` raises :class:`NotReady` until the golden rows were scored and match."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model: LoadedModel | None = None
        self._reason = "the bundle is being loaded"

    @property
    def current(self) -> LoadedModel:
        if self._model is None:
            raise NotReady(self._reason)
        return self._model

    def start(self) -> None:
        """Begins to load, in a thread of its own."""
        threading.Thread(target=self._run, name="bundle", daemon=True).start()

    def _run(self) -> None:
        try:
            self._model = load(self._settings)
        except Exception as error:
            known = isinstance(error, (BundleError, SourceError))
            self._reason = str(error) if known else f"{type(error).__name__}: {error}"
            log.critical("The service cannot start: %s", self._reason, exc_info=None if known else error)
            time.sleep(self._settings.exit_delay_seconds)
            logging.shutdown()
            # Not sys.exit: in a thread it ends the thread, and a SIGTERM to uvicorn would look like a wanted stop.
            os._exit(EXIT_CODE)


def load(settings: Settings) -> LoadedModel:
    """Fetches, checks the digest, loads, and proves with the golden rows. Errors: ``SourceError``, ``BundleError``."""
    started = time.monotonic()
    loaded = bundle.load_packed(fetch(settings.bundle_uri), settings.bundle_digest)
    if loaded.manifest.workload != settings.workload:
        raise BundleError(f"The bundle is of workload {loaded.manifest.workload}, WORKLOAD says {settings.workload}")
    engine = SklearnEngine(loaded)
    result = engine.golden()
    if not result.ok:
        raise BundleError(f"The bundle does not score as it did in training: {result.reason}")
    log.info(
        "The bundle is ready",
        extra={
            "data": {
                "workload": settings.workload,
                "model_version": settings.model_version,
                "bundle_digest": settings.bundle_digest,
                "golden_rows": result.rows,
                "max_difference": result.max_difference,
                "seconds": round(time.monotonic() - started, 3),
            }
        },
    )
    return LoadedModel(loaded, engine)
