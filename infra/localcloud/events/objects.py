"""S3's events: what is made and deleted in a bucket whose notifications go to EventBridge."""

from __future__ import annotations

import time
from typing import Any

from infra.localcloud.events.publication import publish
from infra.localcloud.install import StateOfBackends
from infra.localcloud.s3.store import Change, Store

_SETTING, _SWITCH = "notification", "EventBridgeConfiguration"


class ObjectEvents:
    """Sends ``Object Created`` and ``Object Deleted`` to the default event bus.

    The client that changed the object gets its answer when the event is with its targets, on disk: what was
    acknowledged is announced. After a kill between the two, the client repeats its request, and so the event.

    Args:
        store: S3's store, which says whether a bucket has events.
        state: Where the targets' backends are stored.
    """

    def __init__(self, store: Store, state: StateOfBackends) -> None:
        self._store = store
        self._state = state

    def publish(self, changes: list[Change]) -> None:
        """Sends the event of each change."""
        for change in changes:
            setting = self._store.setting(change.bucket, _SETTING) or {}
            if _SWITCH in setting:
                self._publish(change)

    def _publish(self, change: Change) -> None:
        bucket = change.bucket
        kind = "Object Deleted" if change.deletion else "Object Created"
        publish(self._state, bucket.account, bucket.region, "aws.s3", kind, [bucket.arn], _detail(change))


def _detail(change: Change) -> dict[str, Any]:
    made = {} if change.size is None else {"size": change.size, "etag": change.etag}
    version = {"version-id": change.version} if change.version else {}
    return {
        "version": "0",
        "bucket": {"name": change.bucket.name},
        "object": {"key": change.key, **made, **version, "sequencer": f"{time.time_ns():018X}"},
        "requester": change.bucket.account,
        "reason": change.reason,
        **({"deletion-type": change.deletion} if change.deletion else {}),
    }
