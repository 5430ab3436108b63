"""A shared cache that goes away under load: callers do not notice."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from include.model import bundle
from tests.serving.cloud.conftest import expected_answers
from tests.serving.cloud.load import Load
from tests.serving.cloud.slow import slow_bundle
from tests.serving.conftest import Service
from tests.serving.test_redis_cache import Valkey
from tests.support.bundles import text_files

pytestmark = pytest.mark.stack
AFTER_SECONDS = 1.5


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_redis_that_dies_or_hangs_under_load_fails_no_request(
    start: Callable[..., Service], tmp_path: Path, end: signal.Signals
):
    valkey = Valkey(tmp_path)
    try:
        # Hardly any cache of the process's own, so that requests need the shared one.
        service = start(slow_bundle(), REDIS_URL=valkey.url, CACHE_ENTRIES="1")
        service.until("/ready", 200)
        with Load(service.port, expected_answers(bundle.pack(text_files())), {"7"}) as load:
            _until(lambda: valkey.client.info("stats")["keyspace_hits"] > 0)
            valkey.signal(end)
            ended = load.mark()
            time.sleep(AFTER_SECONDS)
    finally:
        valkey.stop()
    assert load.failures == []
    assert load.counts(since=ended)["7"] > 0
    assert service.process.poll() is None and "Traceback" not in service.text()


def _until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end, "requests did not use the shared cache"
        time.sleep(0.05)
