"""Deleting below a prefix, and the catalog's locations, against a real S3 and Glue API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from nightjar.catalog import CatalogHook
from nightjar.expiry import ExpiryHook

from tests.support.moto_cloud import LAKE, MotoCloud, cloud, moto_server

__all__ = ["cloud", "moto_server"]
pytestmark = pytest.mark.stack
COLUMN = [("key", "string")]


def test_only_what_is_below_the_prefix_is_deleted(cloud: MotoCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = ExpiryHook()
    monkeypatch.setattr("nightjar.expiry.DELETED_AT_ONCE", 2)
    for key in ("staging/w/run/a", "staging/w/run/b/c", "staging/w/run/d", "staging/w/run-2/a", "staging/w/x"):
        hook.put(LAKE, key, b"rows")
    found = hook.below(LAKE, "staging/w/run/")
    assert (found.objects, found.bytes) == (3, 12)
    assert abs(found.newest - datetime.now(UTC)) < timedelta(hours=1)
    hook.delete_below(LAKE, "staging/w/run/")
    assert cloud.keys("staging/", LAKE) == ["staging/w/run-2/a", "staging/w/x"]
    with pytest.raises(ValueError, match="does not end with a slash"):
        hook.delete_below(LAKE, "staging/w/run")


def test_the_locations_of_a_tables_partitions(cloud: MotoCloud) -> None:
    cloud.client("glue").create_database(DatabaseInput={"Name": "nightjar"})
    catalog = CatalogHook("nightjar")
    assert list(catalog.locations("t")) == [] and catalog.columns("t") is None
    catalog.ensure_table("t", COLUMN, ("event_date", "string"), "s3://lake/none")
    for day in ("2013-03-01", "2013-03-02"):
        catalog.point_partition("t", day, COLUMN, f"s3://lake/{day}/", {})
    assert sorted(catalog.locations("t")) == ["s3://lake/2013-03-01/", "s3://lake/2013-03-02/"]
    assert catalog.columns("t") == COLUMN
