"""A day against recent days: on the whole year of real flights, and on days made wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from include.workloads import Workload, load
from include.workloads.comparison import MINIMUM_DAYS, RECENT_DAYS
from include.workloads.documents import parse_yaml
from include.workloads.flights.history import source as flights_source
from tests.support.product_home import DATA

if TYPE_CHECKING:
    import pandas as pd

    from include.glue.day_profile import DayProfile
    from include.glue.day_rows import DayRows
    from include.glue.findings import Finding

pytestmark = pytest.mark.stack
ROOT = Path(__file__).resolve().parents[2]
DAY = date(2013, 6, 20)
Frames = dict[str, dict[date, "pd.DataFrame"]]
Change = Callable[["pd.DataFrame"], "pd.DataFrame"]


@pytest.fixture(scope="module")
def frames() -> Frames:
    """The events of 2013 by type and UTC day, without the joined fields."""
    import pandas as pd

    found: dict[str, list[dict[str, Any]]] = {"scheduled": [], "landed": []}
    for event in flights_source.events(DATA / "flights", date(2013, 1, 1), date(2014, 1, 1)):
        row = {**event["payload"], **{name: event[name] for name in ("key", "event_time", "recorded_at")}}
        found[event["event_type"]].append(row)
    frames: Frames = {}
    for event_type, rows in found.items():
        frame = pd.DataFrame(rows)
        for name in ("event_time", "recorded_at"):
            frame[name] = pd.to_datetime(frame[name], utc=True).dt.tz_localize(None)
        by_day = frame.groupby(frame["event_time"].dt.date)
        # The first and the last day of the window are not whole.
        frames[event_type] = {day: part for day, part in by_day if date(2013, 1, 2) < day < date(2013, 12, 31)}
    return frames


def day_rows(frame: pd.DataFrame) -> DayRows:
    """The rows of a frame, as the audit reads them from a file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from include.glue.day_rows import DayRows

    file = BytesIO()
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), file)
    return DayRows([pq.ParquetFile(file)])


@pytest.fixture(scope="module")
def profiles(frames: Frames) -> dict[str, dict[str, DayProfile]]:
    from include.glue.day_profile import profile_day

    return {
        event_type: {str(day): profile_day(day_rows(frame)) for day, frame in of_type.items()}
        for event_type, of_type in frames.items()
    }


Compare = Callable[..., "list[Finding]"]


@pytest.fixture(scope="module")
def compared(frames: Frames, profiles: dict[str, dict[str, DayProfile]]) -> Compare:
    """A function that compares a day, changed or as it is, with the real days before it."""
    from include.glue.comparing import compare_day
    from include.glue.day_profile import profile_day

    flights = load("flights")

    def compare(
        event_type: str, day: date, change: Change | None = None, workload: Workload = flights, days: int = RECENT_DAYS
    ) -> list[Finding]:
        frame = frames[event_type][day]
        profile = profiles[event_type][str(day)]
        if change:
            frame = change(frame.copy())
            profile = profile_day(day_rows(frame))
        before = [day - timedelta(days=age) for age in range(days, 0, -1)]
        recent = {str(one): profiles[event_type][str(one)] for one in before if one in frames[event_type]}
        role, tunings = workload.events[event_type].role, workload.comparison_tunings
        return compare_day(event_type, role, day, day_rows(frame), profile, recent, tunings)

    return compare


def test_no_real_day_of_the_year_is_refused_and_few_are_warned_of(frames: Frames, compared: Compare) -> None:
    found = {
        (str(day), finding.name, finding.severity)
        for event_type, of_type in frames.items()
        for day in of_type
        for finding in compared(event_type, day)
    }
    assert {one for one in found if one[2] == "critical"} == set()
    assert {day for day, _, _ in found} == {
        "2013-02-09",  # a blizzard: hardly a flight landed
        "2013-09-02",  # Labor Day
        "2013-11-29",  # the day after Thanksgiving
        "2013-12-25",
    }


@pytest.mark.parametrize("days", [MINIMUM_DAYS, 10])
def test_no_real_day_is_refused_when_there_are_fewer_recent_days(frames: Frames, compared: Compare, days: int) -> None:
    critical = [
        (str(day), finding.text)
        for event_type, of_type in frames.items()
        for day in of_type
        for finding in compared(event_type, day, days=days)
        if finding.severity == "critical"
    ]
    assert critical == []


def test_a_wrong_unit_is_warned_of_when_there_are_fewer_recent_days(compared: Compare) -> None:
    found = {finding.name: finding.severity for finding in compared("scheduled", DAY, kilometres, days=MINIMUM_DAYS)}
    assert found == {"scheduled.distribution(distance)": "warning"}


def kilometres(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(distance=frame["distance"] * 1.609)


def one_origin(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(origin="EWR")


def half(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(frac=0.5, random_state=1)


def a_month_later(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(recorded_at=frame["recorded_at"] + timedelta(days=30))


def no_tail_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(tailnum=None)


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.concat([frame, frame])


def seconds(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(arr_delay=frame["arr_delay"] * 60)


@pytest.mark.parametrize(
    ("event_type", "change", "expectation"),
    [
        ("scheduled", half, "scheduled.volume"),
        ("scheduled", twice, "scheduled.volume"),
        ("scheduled", one_origin, "scheduled.constancy(origin)"),
        ("scheduled", kilometres, "scheduled.distribution(distance)"),
        ("scheduled", no_tail_numbers, "scheduled.nulls(tailnum)"),
        ("landed", a_month_later, "landed.freshness"),
        ("landed", seconds, "landed.spread(arr_delay)"),
    ],
)
def test_a_day_that_was_made_wrong_is_refused(
    compared: Compare, event_type: str, change: Change, expectation: str
) -> None:
    for day in (DAY, date(2013, 3, 9), date(2013, 10, 13)):  # a Thursday, a Saturday, a Sunday
        critical = {finding.name for finding in compared(event_type, day, change) if finding.severity == "critical"}
        assert expectation in critical, day


def test_a_day_with_half_of_its_labels_is_warned_of(compared: Compare) -> None:
    """Labels may be few because the world was so."""
    found = {finding.name: finding.severity for finding in compared("landed", DAY, half)}
    assert found["landed.volume"] == "warning"


def test_a_twentieth_of_rows_recorded_much_later_is_warned_of(compared: Compare) -> None:
    def some_late(frame: pd.DataFrame) -> pd.DataFrame:
        late = frame.index.isin(frame.sample(frac=0.06, random_state=1).index)
        frame.loc[late, "recorded_at"] += timedelta(days=3)
        return frame

    found = {finding.name: finding.severity for finding in compared("landed", DAY, some_late)}
    assert found == {"landed.freshness": "warning"}


@pytest.mark.parametrize(("days", "found"), [(MINIMUM_DAYS - 1, False), (MINIMUM_DAYS, True)])
def test_a_day_with_too_few_recent_days_passes(compared: Compare, days: int, found: bool) -> None:
    assert bool(compared("scheduled", DAY, half, days=days)) is found


def tuned(root: Path, **tuning: Any) -> Workload:
    """The workload of flights with one tuning."""
    shutil.copytree(ROOT / "include/workloads/flights", root / "flights")
    file = root / "flights/expectations.yaml"
    document, _ = parse_yaml(file.read_text(), file.name)
    document["comparison"].append({"reason": "a test of the tuning", **tuning})
    file.write_text(yaml.safe_dump(document))
    return load("flights", root)


def test_a_workload_may_switch_one_expectation_off(compared: Compare, tmp_path: Path) -> None:
    workload = tuned(tmp_path, expectation="scheduled.*volume", off=True)
    assert compared("scheduled", DAY, half, workload) == []
    assert compared("scheduled", DAY, kilometres, workload) != []


def test_a_workload_may_set_other_limits(compared: Compare, tmp_path: Path) -> None:
    workload = tuned(tmp_path, expectation="scheduled.volume", warning=1.3)
    found = {finding.name: finding.severity for finding in compared("scheduled", DAY, half, workload)}
    assert found == {"scheduled.volume": "warning", "scheduled.weekday_volume": "warning"}
