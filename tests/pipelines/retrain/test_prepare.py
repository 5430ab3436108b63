"""Between the queries and the jobs: the manifest, its gate, the champion."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from include.errors import ConflictError, RefusedError
from include.lake import days as calendar
from include.lake import layout
from include.lake.known import KnownFrom, to_metadata
from include.lake.manifest import SplitSummary
from include.pipelines.promotion.packages import Package
from include.pipelines.retrain import LiveStateError, PreparedRun, RetrainHooks, plan_dataset, prepare
from include.pipelines.retrain.prepare import UnfitDatasetError, check_dataset
from include.sql import split_rule
from include.workloads import Workload, load
from tests.support.ecs_in_memory import EcsInMemory
from tests.support.packages import PACKAGES, Registry, package
from tests.support.retrain_runs import SETTINGS, Objects, State, make_live, published_days

FLIGHTS = load("flights")
DAY = date(2013, 5, 1)
CUTOFF = calendar.cutoff(DAY)
IN_TIME = datetime(2013, 5, 1, 10, tzinfo=UTC)
RUNS = {"2013-05-01": "a"}
ROWS = [
    {"split": split, "row_count": "10000", "positives": "2500", "digest": "1"}
    for split in ("train", "validation", "test")
]


def at(instant: datetime) -> KnownFrom:
    return KnownFrom(instant, instant + timedelta(days=9))


def lake(known_from: datetime = IN_TIME) -> Objects:
    """A lake with two raw objects with events of the day: the second one's were known at the cut-off at the earliest.

    It also has an event of the next day, which was known earlier. Two snapshots of a table are alike.
    """
    objects, stream = Objects(), FLIGHTS.stream.name
    for sequence, days in (("1", {DAY: known_from}), ("2", {DAY: CUTOFF, CUTOFF.date(): IN_TIME})):
        raw = layout.raw_stream_key("flights", stream, DAY, "shard-0", sequence)
        objects.put_once("raw", raw, b"rows")
        for day, known in days.items():
            objects.put_once("lake", layout.marker_key("flights", stream, day, raw, at(known)), b"")
    for known in (known_from, CUTOFF):
        key = layout.raw_table_key("flights", "weather", known, 0)
        objects.put_once("raw", key, b"rows", to_metadata(at(known)))
    return objects


def run(
    objects: Objects | None = None,
    rows: Any = ROWS,
    state: State | None = None,
    workload: Workload = FLIGHTS,
    registry: Registry | None = None,
    service: EcsInMemory | None = None,
    **options: bool,
) -> tuple[PreparedRun, Objects]:
    objects = objects or lake()
    plan = plan_dataset(workload, DAY, SETTINGS, "sha", published_days(**RUNS), datetime(2026, 1, 1, tzinfo=UTC))
    hooks = RetrainHooks(objects, state or published_days(**RUNS), registry or Registry(), service or EcsInMemory())
    how = {"is_backfill": False, "fresh": False, **options}
    return prepare(workload, plan, "key-a2", rows, SETTINGS, hooks, **how), objects


def manifest(objects: Objects, version: str) -> Any:
    return objects.get_json("artifact", layout.dataset_manifest_key("flights", version))


def test_the_manifest_names_the_data_set_and_the_raw_objects_in_it() -> None:
    prepared, objects = run()
    written = manifest(objects, prepared["dataset_version"])
    assert written["version"] == prepared["dataset_version"]
    assert written["location"] == "s3://lake/datasets/flights/key-a2/"
    assert [item["key"].rsplit("-", 1)[1] for item in written["inputs"]] == ["1.jsonl.gz"]
    assert [item["key"][-30:] for item in written["reference_inputs"]] == ["20130501100000000000-00000.jsonl.gz"[-30:]]
    assert written["initial_loads"] == {}
    assert prepared["splits"] == {"train": 10000, "validation": 10000, "test": 10000}


def test_the_version_is_of_what_was_known_and_not_of_when_it_was_built() -> None:
    first, second = run()[0], run(lake())[0]
    assert first["dataset_version"] == second["dataset_version"]
    later = run(lake(known_from=CUTOFF))[0]
    assert later["dataset_version"] != first["dataset_version"]


def test_the_version_does_not_depend_on_the_name_of_the_raw_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    first, objects = run()[0], lake()
    places: list[dict[tuple[str, str], Any]] = [objects.bodies, objects.user_metadata]
    for place in places:
        moved = {("other" if bucket == "raw" else bucket, key): value for (bucket, key), value in place.items()}
        place.clear()
        place.update(moved)
    monkeypatch.setattr(f"{__name__}.SETTINGS", SETTINGS.model_copy(update={"raw_bucket": "other"}))
    assert run(objects)[0]["dataset_version"] == first["dataset_version"]


def test_a_marker_without_times_and_an_initial_load_are_named() -> None:
    objects, stream = lake(), FLIGHTS.stream.name
    raw = layout.raw_stream_key("flights", stream, DAY, "shard-0", "3")
    objects.put_once("raw", raw, b"rows")
    objects.put_once("lake", layout.marker_key("flights", stream, DAY, raw), b"")
    weather = FLIGHTS.tables["weather"].model_copy(update={"initial_load": CUTOFF.date()})
    loaded = FLIGHTS.model_copy(update={"tables": {**FLIGHTS.tables, "weather": weather}})
    prepared, _ = run(objects, workload=loaded)
    written = manifest(objects, prepared["dataset_version"])
    assert [item["key"].rsplit("-", 1)[1] for item in written["inputs"]] == ["1.jsonl.gz", "3.jsonl.gz"]
    assert len(written["reference_inputs"]) == 2
    assert written["initial_loads"] == {"weather": "2013-05-02"}


def test_a_day_that_was_published_before_its_events_had_arrived_is_refused() -> None:
    """One object's events were known in time, the other's later: the one that was processed may be either."""
    for markers in (1, 2):
        item = {"status": "published", "run": "a", "markers": markers}
        run(state=State({("day#flights", "2013-05-01"): item}))
    item = {"status": "published", "run": "a", "markers": 0}
    with pytest.raises(RefusedError, match=r"Events of 2013-05-01 were known before .* Run flights_process with date"):
        run(state=State({("day#flights", "2013-05-01"): item}))


def test_objects_of_days_that_were_never_processed_are_not_named() -> None:
    objects, day = lake(), date(2013, 4, 30)
    raw = layout.raw_stream_key("flights", FLIGHTS.stream.name, day, "shard-0", "9")
    objects.put_once("raw", raw, b"rows")
    objects.put_once("lake", layout.marker_key("flights", FLIGHTS.stream.name, day, raw, at(IN_TIME)), b"")
    written = manifest(objects, run(objects)[0]["dataset_version"])
    assert [item["key"].rsplit("-", 1)[1] for item in written["inputs"]] == ["1.jsonl.gz"]


def test_a_tolerated_missing_day_is_in_the_manifest_with_its_reason_and_its_objects_are_not() -> None:
    objects, refused = lake(), date(2013, 4, 30)
    raw = layout.raw_stream_key("flights", FLIGHTS.stream.name, refused, "shard-0", "9")
    objects.put_once("raw", raw, b"rows")
    objects.put_once("lake", layout.marker_key("flights", FLIGHTS.stream.name, refused, raw, at(IN_TIME)), b"")
    spec = FLIGHTS.dataset.model_copy(update={"missing_days": 1})
    tolerant, versions = FLIGHTS.model_copy(update={"dataset": spec}), set()
    for reason in ("nulls", "more nulls"):
        state = published_days(**RUNS)
        state.put("day#flights", str(refused), {"status": "refused", "run": "q", "reason": reason, "markers": 1})
        plan = plan_dataset(tolerant, DAY, SETTINGS, "sha", state, datetime(2026, 1, 1, tzinfo=UTC))
        hooks = RetrainHooks(objects, state, Registry(), EcsInMemory())
        flags = {"is_backfill": False, "fresh": False}
        prepared = prepare(tolerant, plan, "key", ROWS, SETTINGS, hooks, **flags)
        versions.add(prepared["dataset_version"])
    written = manifest(objects, prepared["dataset_version"])
    assert written["missing_days"] == {"2013-04-30": "was refused: nulls"}
    assert "not in ('2013-04-30')" in written["sql"]
    assert [item["key"].rsplit("-", 1)[1] for item in written["inputs"]] == ["1.jsonl.gz"]
    assert len(versions) == 1, "the reason is not part of the version"
    assert versions != {run(workload=tolerant)[0]["dataset_version"]}


def live_state(version: int, *earlier: int) -> State:
    state = published_days(**RUNS)
    make_live(state, version, *earlier)
    return state


def test_the_champion_is_the_live_version_and_a_backfill_is_marked() -> None:
    prepared = run(state=live_state(3, 2))[0]
    assert (prepared["backfilled"], prepared["champion"], prepared["live"]) == (False, 3, 3)
    assert prepared["champion_digest"] == "d3"
    prepared = run(state=live_state(3, 2), is_backfill=True)[0]
    assert (prepared["backfilled"], prepared["champion"]) == (True, 3)


def test_a_lost_record_of_what_is_live_is_not_taken_for_no_champion() -> None:
    """This was red before: with the pointer deleted, the candidate met no champion and was deployed."""
    service = EcsInMemory.running("t1", MODEL_VERSION="3", BUNDLE_DIGEST="d3")
    with pytest.raises(LiveStateError, match="repair-live"):
        run(service=service)
    assert run(state=live_state(3), service=service)[0]["champion"] == 3


def test_a_live_version_that_the_registry_lost_is_not_taken_for_no_champion() -> None:
    with pytest.raises(RefusedError, match="no version 9, which is live"):
        run(state=live_state(9))


def twin(version: int, dataset_version: str, champion: str) -> Package:
    """A version that a run made from the same data set, code and image."""
    made = package(version, "2013-03-03T00:00:00Z")
    made_from: Any = {
        "dataset_version": dataset_version,
        "code_sha": "sha",
        "image": "training:1",
        "champion": champion,
    }
    made.metadata.update(made_from)
    return made


def test_a_repeated_run_of_a_live_day_adopts_the_earlier_comparison() -> None:
    """This was red before: the live version was compared with itself, in a new evaluation job."""
    earlier = run(state=live_state(2))[0]
    registry = Registry([twin(6, earlier["dataset_version"], "2"), *PACKAGES])
    for fresh in (False, True):
        again = run(state=live_state(6, 2), registry=registry, fresh=fresh)[0]
        assert (again["champion"], again["live"]) == (2, 6)
        assert again["evaluation_name"] == earlier["evaluation_name"]
        assert again["training_name"] == earlier["training_name"]


def test_a_repeated_first_run_has_no_champion_again() -> None:
    first = run()[0]
    again = run(state=live_state(6), registry=Registry([twin(6, first["dataset_version"], "none"), *PACKAGES]))[0]
    assert again["champion"] is None and again["evaluation_name"] == first["evaluation_name"]


def test_a_fresh_run_of_a_day_that_is_not_live_meets_the_live_version() -> None:
    first = run(state=live_state(2))[0]
    registry = Registry([twin(6, first["dataset_version"], "2"), *PACKAGES])
    assert run(state=live_state(3, 2), registry=registry)[0]["champion"] == 2
    assert run(state=live_state(3, 2), registry=registry, fresh=True)[0]["champion"] == 3


def test_before_the_first_deploy_there_is_no_champion() -> None:
    prepared = run()[0]
    assert prepared["champion"] is None
    names = [given["InputName"] for given in prepared["evaluation"]["ProcessingInputs"]]
    assert "champion" not in names


def test_days_that_are_published_again_meanwhile_are_a_conflict() -> None:
    with pytest.raises(ConflictError, match="Clear the task plan"):
        run(state=published_days(**{"2013-05-01": "b"}))


def test_a_split_without_rows_is_unfit() -> None:
    with pytest.raises(UnfitDatasetError, match="no rows in test"):
        run(rows=ROWS[:2])


def split(rows: int, positives: int) -> SplitSummary:
    return {"rows": rows, "positives": positives, "digest": "1", "from": "", "to": ""}


@pytest.mark.parametrize(
    ("splits", "reason"),
    [
        ({"train": split(10, 5)}, "minimum_rows"),
        ({"train": split(10**6, 5), "test": split(900, 0)}, "Split test has 0 positive"),
        ({"train": split(10**6, 5), "test": split(900, 900)}, "both classes"),
        ({"train": split(10**6, 5), "test": split(2, 1)}, r"Split test has 2 rows; dataset\.minimum_split_rows"),
    ],
)
def test_a_data_set_that_is_not_fit_is_refused(splits: Any, reason: str) -> None:
    with pytest.raises(UnfitDatasetError, match=reason):
        check_dataset(FLIGHTS, splits)


def test_a_fit_data_set_passes() -> None:
    check_dataset(FLIGHTS, {name: split(10**5, 10**4) for name in split_rule(FLIGHTS.dataset, CUTOFF)})
