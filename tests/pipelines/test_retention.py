"""What a retention run deletes: nothing that a partition, a day or a version needs, and nothing young."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from include.errors import NothingToDoError, RefusedError, UserError
from include.lake import layout, state_keys
from include.pipelines.promotion.packages import Package
from include.pipelines.retention.expire import Expired, Retention, RetentionRequest
from include.workloads import Workload
from tests.support.packages import Registry, metadata_of
from tests.support.retrain_runs import SETTINGS, Objects, State
from tests.support.tiny_workload import document, refusal, tiny_workload

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD, YOUNG = NOW - timedelta(days=121), NOW - timedelta(days=119)


class Below(NamedTuple):
    """The objects below a prefix."""

    objects: int
    bytes: int
    newest: datetime


class Store(Objects):
    """Objects in memory with the time at which they were written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: dict[str, datetime] = {}

    def add(self, key: str, written: datetime) -> None:
        self.put("lake", key, b"rows")
        self.written[key] = written

    def below(self, bucket: str, prefix: str) -> Below:
        keys = list(self.keys(bucket, prefix))
        return Below(len(keys), 4 * len(keys), max(self.written[key] for key in keys))

    def delete_below(self, bucket: str, prefix: str) -> None:
        assert bucket == "lake"
        for key in list(self.keys(bucket, prefix)):
            del self.bodies[bucket, key]


class Catalog:
    """Partitions by table."""

    def __init__(self, **tables: list[str]) -> None:
        self.tables = tables

    def locations(self, table: str) -> Iterator[str]:
        return iter(self.tables.get(table, ()))


def version(number: int, dataset: str, status: str) -> Package:
    metadata = metadata_of(data_cutoff="2026-01-01T00:00:00Z", backfilled="false", dataset_version=dataset)
    return Package(number, f"arn:{number}", status, "", metadata)


@pytest.fixture
def shop(tmp_path: Path) -> Workload:
    return tiny_workload(tmp_path)


@pytest.fixture
def store() -> Store:
    """Runs and data sets, named after what needs them."""
    store = Store()
    for run in ("partition", "newest", "superseded"):
        store.add(f"staging/shop/{run}/offered/event_date=2026-01-01/0.parquet", OLD)
        store.add(f"staging/shop/{run}/audit.json", OLD)
    store.add("staging/shop/mixed/a", OLD)
    store.add("staging/shop/mixed/b", YOUNG)
    store.add("staging/other/superseded/a", OLD)
    for dataset in ("approved", "pending", "rejected", "unregistered"):
        store.add(f"datasets/shop/{dataset}/split=train/0", OLD)
        manifest = {"location": f"s3://lake/datasets/shop/{dataset}/"}
        store.put("artifact", layout.dataset_manifest_key("shop", f"v-{dataset}"), json.dumps(manifest).encode())
    store.add("datasets/shop/young/split=train/0", YOUNG)
    store.add("raw/shop/a", OLD)
    return store


def retention(shop: Workload, store: Store, **changes: Any) -> Retention:
    first, second = (state_keys.day_key("shop", date(2026, 1, day)) for day in (1, 2))
    versions: list[tuple[str, str]] = [
        ("v-approved", "Approved"),
        ("v-pending", "PendingManualApproval"),
        ("v-rejected", "Rejected"),
    ]
    parts: dict[str, Any] = {
        "workload": shop,
        "settings": SETTINGS,
        "objects": store,
        "catalog": Catalog(shop_offered=["s3://lake/staging/shop/partition/offered/event_date=2026-01-01/"]),
        "state": State({first: {"status": "refused", "run": "newest"}, second: {"status": "empty"}}),
        "registry": Registry([version(number, *named) for number, named in enumerate(versions, 1)]),
    }
    return Retention(**{**parts, **changes})


GO = ["staging/shop/superseded/", "datasets/shop/rejected/", "datasets/shop/unregistered/"]


def prefixes(found: list[Expired]) -> list[str]:
    return [one["prefix"] for one in found]


def test_what_nothing_needs_is_deleted_once_it_is_old_and_all_else_stays(shop: Workload, store: Store) -> None:
    before = set(store.bodies)
    found = retention(shop, store).run(RetentionRequest(NOW))
    assert prefixes(found) == GO
    assert found[0] == {"prefix": GO[0], "objects": 2, "bytes": 8, "newest": "2026-01-31T00:00:00.000000Z"}
    gone = {key for _, key in before - set(store.bodies)}
    assert gone == {key for _, key in before if key.startswith(tuple(GO))}
    with pytest.raises(NothingToDoError, match="nothing to expire"):
        retention(shop, store).run(RetentionRequest(NOW))


def test_a_dry_run_lists_and_deletes_nothing(shop: Workload, store: Store) -> None:
    before = set(store.bodies)
    with pytest.raises(
        NothingToDoError, match=r"would expire: staging/shop/superseded/ \(2 objects, 8 bytes\); datasets"
    ):
        retention(shop, store).run(RetentionRequest(NOW, dry_run=True))
    assert set(store.bodies) == before


def test_a_person_may_shorten_the_policy_but_not_below_what_a_submit_may_adopt(shop: Workload, store: Store) -> None:
    found = retention(shop, store).run(RetentionRequest(NOW, older_than_days=100))
    assert "datasets/shop/young/" in prefixes(found) and "staging/shop/mixed/" in prefixes(found)
    with pytest.raises(UserError, match="older_than_days is 89, below 90"):
        retention(shop, store).run(RetentionRequest(NOW, older_than_days=89))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"registry": Registry([version(1, "v-lost", "Approved")])},
            "data set of version 1, is lost: nothing is expired",
        ),
        ({"catalog": Catalog(shop_rated=["s3://lake/elsewhere/"])}, "lies at s3://lake/elsewhere/, not below"),
        ({"catalog": Catalog(shop_rated=["s3://other/staging/shop/r/"])}, "lies at s3://other/staging/shop/r/, not"),
    ],
)
def test_nothing_is_deleted_while_it_is_not_known_what_is_needed(
    shop: Workload, store: Store, changes: dict[str, Any], text: str
) -> None:
    before = set(store.bodies)
    with pytest.raises(RefusedError, match=text):
        retention(shop, store, **changes).run(RetentionRequest(NOW))
    assert set(store.bodies) == before


def test_a_policy_shorter_than_jobs_are_remembered_is_refused(tmp_path: Path) -> None:
    short = document(retention={"staging_days": 30})
    assert "retention.staging_days" in refusal(tmp_path, workload=short)
