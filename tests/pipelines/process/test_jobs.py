"""Arguments of the Glue jobs, as docs/contracts.md has them."""

from __future__ import annotations

from include.pipelines.process.jobs import audit_arguments, transform_arguments
from include.pipelines.process.types import ProcessPlan
from tests.support.product_settings import product_settings

PLAN: ProcessPlan = {
    "days": {"2013-03-01": "f"},
    "days_text": "2013-03-01",
    "inputs": "s3://a/inputs/f.json",
    "submit_key": "k",
    "planned_at": "2013-03-02T00:30:00.000000Z",
    "code_sha": "c",
    "rows": 900,
    "bytes": 50_000,
}


def test_the_transform_writes_below_the_key_of_its_own_attempt() -> None:
    assert transform_arguments("shop", PLAN, product_settings()) == {
        "--workload": "shop",
        "--days": "2013-03-01",
        "--inputs": "s3://a/inputs/f.json",
        "--staging": "s3://nj-lake/staging/shop/${submit_key}/",
        "--quarantine": "s3://nj-lake/quarantine/shop/transform/${submit_key}/",
        "--code-sha": "c",
    }


def test_the_audit_reads_the_attempt_that_was_transformed() -> None:
    assert audit_arguments("shop", PLAN, "k-a2", "s3://a/recent.json", product_settings()) == {
        "--workload": "shop",
        "--days": "2013-03-01",
        "--staging": "s3://nj-lake/staging/shop/k-a2/",
        "--docs": "s3://nj-artifact/data-docs/shop/k-a2/",
        "--recent": "s3://a/recent.json",
    }
