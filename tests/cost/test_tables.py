from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from infra.cost import tables
from infra.cost.resources import require_known, source_types
from infra.cost.tables import CostError, read_prices, read_usage


def test_every_resource_type_of_the_sources_is_priced_or_free() -> None:
    found = source_types()
    assert {"aws_mwaa_environment", "aws_kms_key"} <= found
    require_known(found, read_prices(), "infra/terraform")


def test_a_type_of_the_sources_without_an_entry_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.tf").write_text('resource "aws_quantum_computer" "this" {\n}\n')
    with pytest.raises(CostError, match=r"does not know aws_quantum_computer of infra/terraform.*Add the charges"):
        require_known(source_types(tmp_path), read_prices(), "infra/terraform")


def test_no_price_and_no_usage_is_left_over() -> None:
    prices, usage = read_prices(), read_usage()
    charges = [charge for found in prices.charges.values() for charge in found]
    named = {charge.price for charge in charges if not charge.by}
    selected = tuple(f"{charge.price}." for charge in charges if charge.by and charge.price)
    of_jobs = ("glue_", "instance_hour.", "job_volume_gb")  # tests/pipelines/cost: what a job is priced by
    assert [name for name in prices.prices if name not in named and not name.startswith((*selected, *of_jobs))] == []
    factors = {factor for charge in charges for factor in charge.quantity}
    assert {f"{scope}.{name}" for scope, names in usage.meaning.items() for name in names} <= factors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prices": {}}, r"charges.aws_lb names the price hour, which is not in prices"),
        ({"free": {"aws_vpc": "no"}}, r"free.aws_vpc has no reason"),
        ({"free": {"aws_lb": "a load balancer is free"}}, r"aws_lb is both priced and free"),
        ({"charges": {"aws_lb": [{"what": "x", "price": "hour"}]}}, r"charges.aws_lb.0: .*a price needs a quantity"),
        ({"charges": {"aws_lb": [{"what": "x"}]}}, r"either a price or a reason"),
        ({"charges": {"aws_lb": [{"what": "x", "price": "hour", "quantity": ["days"]}]}}, r"unknown factor days"),
    ],
)
def test_a_wrong_price_table_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    hour = {"usd": 1, "unit": "hours", "source": "a page", "noted": "2026-01-01", "basis": "memory"}
    charge = {"what": "running", "price": "hour", "quantity": ["hours"]}
    good = {"prices": {"hour": hour}, "charges": {"aws_lb": [charge]}, "free": {}}
    path = tmp_path / "charges.yaml"
    path.write_text(yaml.safe_dump(good))
    assert tables.read_prices(path).types() == {"aws_lb"}
    path.write_text(yaml.safe_dump(good | change))
    with pytest.raises(CostError, match=message):
        tables.read_prices(path)


def test_an_assumption_that_one_environment_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "usage.yaml"
    meaning = {"environment": {}, "workload": {"tasks": "tasks"}}
    document = {"meaning": meaning, "environments": {"dev": {"environment": {}, "workload": {}}}}
    path.write_text(yaml.safe_dump(document))
    with pytest.raises(CostError, match=r"dev\.workload\.tasks must be in meaning and in every environment"):
        read_usage(path)
