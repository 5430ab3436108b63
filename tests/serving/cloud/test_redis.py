"""A shared cache that fails under load: callers do not notice."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from include.model import bundle
from tests.support.bundles import text_files
from tests.support.http_load import Load
from tests.support.service import StartService, eventually
from tests.support.slow_bundles import slow_bundle
from tests.support.texts_service import expected_answers
from tests.support.valkey import Valkey

pytestmark = pytest.mark.stack
AFTER_SECONDS = 1.5


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGSTOP])
def test_redis_that_dies_or_hangs_under_load_fails_no_request(start: StartService, tmp_path: Path, end: signal.Signals):
    valkey = Valkey(tmp_path)
    try:
        # With hardly any cache in the worker, requests need the shared one.
        service = start(slow_bundle(), REDIS_URL=valkey.url, CACHE_ENTRIES="1")
        service.until("/ready", 200)
        with Load(service.port, expected_answers(bundle.pack(text_files())), {"7"}) as load:
            assert eventually(lambda: valkey.client.info("stats")["keyspace_hits"] > 0)
            valkey.signal(end)
            ended = load.mark()
            time.sleep(AFTER_SECONDS)
    finally:
        valkey.stop()
    assert load.failures == []
    assert load.counts(since=ended)["7"] > 0
    assert service.process.poll() is None and "Traceback" not in service.text()
