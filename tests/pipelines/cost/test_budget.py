"""The month's forecast, and the budget: it stops paid extras, tells people once, and never stops a night."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import include.pipelines.process
import include.pipelines.retrain
from include.pipelines.cost import allow_extra, budget_warning, costs_of, put_costs, remember_budget_warning
from include.pipelines.cost.budget import budget_left
from include.pipelines.cost.meters import folders, task_hour
from include.pipelines.cost.prices import prices
from include.workloads import Workload, load
from include.workloads.budget import BudgetSpec
from tests.support.charges import WORKLOAD, claim, record_nights, record_training
from tests.support.retrain_runs import SETTINGS
from tests.support.stores_in_memory import ItemsInMemory

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
HOUR = prices().prices["instance_hour.ml.m5.xlarge"].usd
HOURS_LEFT = 20.5 * 24


def shop(usd_per_month: float | None = None) -> Workload:
    return load("flights").model_copy(update={"name": WORKLOAD, "budget": BudgetSpec(usd_per_month=usd_per_month)})


def service_left() -> float:
    return HOURS_LEFT * 2 * task_hour(shop(), prices())


@pytest.fixture
def state() -> ItemsInMemory:
    return ItemsInMemory()


def test_the_rest_of_the_month_costs_its_nights_and_the_service(state: ItemsInMemory) -> None:
    record_nights(state, 5, hours=1)
    record_training(state, "dear", 100, claim(run="manual__1"), ended=NOW)
    found = costs_of(shop(), state, NOW)
    assert found.spent["month"] == pytest.approx(110 * HOUR)
    assert found.spent["today"] == pytest.approx(102 * HOUR)
    assert (found.forecast["night"], found.forecast["nights_left"]) == (pytest.approx(2 * HOUR), 20)
    assert found.forecast["service"] == pytest.approx(service_left())
    assert found.forecast["month"] == pytest.approx((110 + 40) * HOUR + service_left())
    assert "by its end (from the last nights)" in found.sentence()


def test_without_a_night_the_forecast_says_what_is_not_in_it(state: ItemsInMemory) -> None:
    found = costs_of(shop(), state, NOW)
    assert found.forecast["night"] is None and found.forecast["jobs"] == 0
    assert found.forecast["month"] == pytest.approx(service_left())
    assert found.forecast["basis"].startswith("no night has run yet")


def test_the_nights_of_the_month_before_are_looked_at_and_not_counted(state: ItemsInMemory) -> None:
    record_nights(state, 3, hours=1, last=datetime(2026, 10, 31, 3, tzinfo=UTC))
    found = costs_of(shop(), state, NOW)
    assert found.spent["month"] == 0
    assert found.forecast["night"] == pytest.approx(2 * HOUR)


def test_an_extra_may_use_what_the_budget_leaves_beside_the_nights(state: ItemsInMemory) -> None:
    record_nights(state, 5, hours=1)
    left = 10.0
    workload = shop(costs_of(shop(), state, NOW).forecast["month"] + left)
    assert allow_extra(workload, left - 0.01, state, NOW).allowed
    refused = allow_extra(workload, left + 0.01, state, NOW)
    assert not refused.allowed
    assert "may cost $10.01" in refused.reason and "leaves $10.00 in 2026-11 beside the nights" in refused.reason
    assert "Raise budget.usd_per_month in shop's workload.yaml" in refused.reason
    assert not allow_extra(workload, None, state, NOW).allowed, "nobody knows what it costs"
    assert budget_left(workload, state, NOW)["left"] == pytest.approx(left)


def test_without_a_budget_every_extra_may_be_started(state: ItemsInMemory) -> None:
    assert allow_extra(shop(), None, state, NOW).allowed
    assert budget_left(shop(), state, NOW) == {"left": None, "sentence": ""}


def test_a_budget_that_is_used_up_stops_extras_and_people_are_told_once_a_month(state: ItemsInMemory) -> None:
    record_nights(state, 5, hours=1)
    workload = shop(10 * HOUR)
    refused = allow_extra(workload, 0.0, state, NOW)
    assert not refused.allowed and "is spent in 2026-11: no paid extra is started; the nights go on" in refused.reason
    told = budget_warning(costs_of(workload, state, NOW), state)
    assert "The budget of shop for 2026-11 is used up: $2.30 of $2.30" in told[0] and "make costs" in told[1]
    assert budget_warning(costs_of(workload, state, NOW), state), "until the message is published"
    remember_budget_warning(costs_of(workload, state, NOW), NOW, state)
    assert budget_warning(costs_of(workload, state, NOW), state) == []
    december = datetime(2026, 12, 20, tzinfo=UTC)
    record_nights(state, 5, hours=1, last=datetime(2026, 12, 19, tzinfo=UTC))
    assert budget_warning(costs_of(workload, state, december), state)


def imports(folder: Path) -> dict[str, set[str]]:
    """The names that each module below a folder imports from the package of costs."""
    found: dict[str, set[str]] = {}
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("include.pipelines.cost"):
                found.setdefault(file.name, set()).update(alias.name for alias in node.names)
    return found


@pytest.mark.parametrize("pipeline", [include.pipelines.process, include.pipelines.retrain])
def test_nothing_of_a_night_but_tuning_asks_for_the_budget(pipeline: Any) -> None:
    asking = {"allow_extra", "budget_left", "budget_warning", "costs_of", "budget"}
    found = {file: names & asking for file, names in imports(Path(pipeline.__file__).parent).items()}
    assert {file for file, names in found.items() if names} <= {"tuning.py"}
    assert "cost.py" in found, "the test looks at the right folder"


class Sizes:
    """Buckets in which every prefix has a gigabyte, but those that are empty."""

    def __init__(self, *empty: str) -> None:
        self.empty = empty
        self.listed: list[str] = []

    def size_below(self, bucket: str, prefix: str, pages: int) -> tuple[int, bool]:
        self.listed.append(f"{bucket}/{prefix}")
        return 0 if f"{bucket}/{prefix}" in self.empty else 10**9, True


def put(state: ItemsInMemory, at: datetime, tasks: int, sizes: Sizes) -> dict[str, float]:
    published: list[Any] = []
    put_costs(
        shop(),
        SETTINGS,
        at,
        tasks,
        state=state,
        sizes=sizes,
        publish=lambda namespace, data: published.append((namespace, data)),
    )
    ((namespace, data),) = published
    assert namespace == "Nightjar/Cost"
    assert all(datum["Dimensions"] == [{"Name": "Workload", "Value": WORKLOAD}] for datum in data)
    return {datum["MetricName"]: datum["Value"] for datum in data}


def test_the_hours_of_the_service_count_between_two_looks_whatever_is_repeated(state: ItemsInMemory) -> None:
    sizes, stored = Sizes(), len(folders(WORKLOAD, SETTINGS)) * prices().prices["s3_standard_gb"].usd / 30
    assert put(state, NOW, 2, sizes) == pytest.approx(
        {"UsdToday": stored, "UsdMonth": stored, "UsdMonthForecast": stored + service_left() + stored * 20.5}
    )
    later = NOW.replace(hour=13)
    for _ in range(2):
        found = put(state, later, 3, sizes)
        assert found["UsdToday"] == pytest.approx(stored + 2 * task_hour(shop(), prices()))
    found = put(state, NOW.replace(hour=15), 3, sizes)
    assert found["UsdToday"] == pytest.approx(stored + (2 + 6) * task_hour(shop(), prices()))
    every = [f"{bucket}/{prefix}" for bucket, _, prefix in folders(WORKLOAD, SETTINGS)]
    assert sizes.listed == every and "artifact/cards/shop/" in every, "what is stored is listed once a day"


def test_a_folder_that_was_empty_at_the_first_look_of_a_day_is_listed_again(state: ItemsInMemory) -> None:
    """A new workload has stored nothing at its first look; what it then stores shows on the same day."""
    every = [f"{bucket}/{prefix}" for bucket, _, prefix in folders(WORKLOAD, SETTINGS)]
    before, after = Sizes(every[0], every[2]), Sizes(every[2])
    first = put(state, NOW, 0, before)
    second = put(state, NOW.replace(hour=13), 0, after)
    assert after.listed == [every[0], every[2]]
    share = prices().prices["s3_standard_gb"].usd / 30
    assert second["UsdToday"] - first["UsdToday"] == pytest.approx(share)
    assert second["UsdToday"] == pytest.approx((len(every) - 1) * share)


def test_hours_of_which_nobody_knows_whether_the_service_ran_do_not_count(state: ItemsInMemory) -> None:
    sizes = Sizes()
    put(state, NOW.replace(day=9, hour=23), 2, sizes)
    midnight = put(state, NOW.replace(hour=1), 2, sizes)
    assert midnight["UsdToday"] > put(ItemsInMemory(), NOW.replace(hour=1), 2, Sizes())["UsdToday"], "since yesterday"
    assert put(state, NOW.replace(hour=20), 2, sizes)["UsdToday"] == midnight["UsdToday"]
