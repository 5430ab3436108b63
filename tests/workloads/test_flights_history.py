"""The events and tables of the flights workload, made from a handful of real rows."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from include.workloads import check_record, load
from include.workloads.flights.history.source import DDL, events, tables

COLUMNS = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,origin,dest,air_time,"
    "distance,hour,minute,time_hour"
)
# On time, the same again, cancelled, over midnight, to Honolulu, over the change to summer time, unknown time zone.
FLIGHTS = """\
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z
2013,1,1,NA,1630,NA,NA,1815,NA,EV,4308,N18120,EWR,RDU,NA,416,16,30,2013-01-01T21:00:00Z
2013,1,1,2353,2359,-6,425,445,-20,B6,739,NA,JFK,PSE,195,1617,23,59,2013-01-02T04:00:00Z
2013,1,1,857,900,-3,1516,1530,-14,HA,51,N384HA,JFK,HNL,659,4983,9,0,2013-01-01T14:00:00Z
2013,3,9,2306,2145,81,203,34,89,B6,35,N658JB,JFK,PBI,141,1028,21,45,2013-03-10T02:00:00Z
2013,3,9,1200,1200,0,1400,1400,0,B6,1,NA,JFK,XXX,60,500,12,0,2013-03-09T17:00:00Z
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nycflights13")
    with zipfile.ZipFile(folder / "flights.csv.zip", "w") as archive:
        archive.writestr("flights.csv", f"{COLUMNS}\n{FLIGHTS}")
    (folder / "airports.csv").write_text(
        "faa,name,lat,lon,alt,tz,dst,tzone\n"
        "IAH,George Bush Intercontinental,29.98,-95.34,97,-6,A,America/Chicago\n"
        "HNL,Honolulu Intl,21.31,-157.92,13,-10,N,Pacific/Honolulu\n"
        "RDU,Raleigh Durham Intl,35.87,-78.78,435,-5,A,America/New_York\n"
        "PBI,Palm Beach Intl,26.68,-80.09,19,-5,A,America/New_York\n"
        "XXX,Nowhere,0,0,0,0,N,NA\n"
    )
    (folder / "planes.csv").write_text(
        "tailnum,year,type,manufacturer,model,engines,seats,speed,engine\n"
        "N14228,1999,Fixed wing multi engine,BOEING,737-824,2,149,NA,Turbo-fan\n"
    )
    (folder / "airlines.csv").write_text("carrier,name\nUA,United Air Lines Inc.\n")
    (folder / "weather.csv").write_text(
        "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour\n"
        "EWR,2013,1,1,1,39.02,26.06,59.37,270,10.357,NA,0,1012,10,2013-01-01T06:00:00Z\n"
        "EWR,2013,1,1,1,40,26.06,59.37,270,10.357,NA,0,1012,10,2013-01-01T06:00:00Z\n"
    )
    return folder


@pytest.fixture(scope="module")
def found(data_dir: Path) -> list[dict[str, Any]]:
    return list(events(data_dir, date(2012, 12, 31), date(2013, 3, 20)))


def of_kind(found: list[dict[str, Any]], event_type: str) -> dict[str, dict[str, Any]]:
    return {event["key"]: event for event in found if event["event_type"] == event_type}


def test_events_are_ordered_and_valid(found: list[dict[str, Any]]) -> None:
    workload = load("flights")
    assert [event["recorded_at"] for event in found] == sorted(event["recorded_at"] for event in found)
    for event in found:
        assert check_record(workload.events[event["event_type"]].fields, event["payload"])[1] == []


def test_a_flight_is_scheduled_a_day_ahead_and_lands_in_utc(found: list[dict[str, Any]]) -> None:
    scheduled, landed = of_kind(found, "scheduled"), of_kind(found, "landed")
    key = "2013-01-01-UA-1545-EWR-0515"
    assert (scheduled[key]["event_time"], scheduled[key]["recorded_at"]) == (
        "2013-01-01T10:15:00.000000Z",
        "2012-12-31T10:15:00.000000Z",
    )
    assert scheduled[key]["payload"]["sched_duration"] == 244
    assert landed[key]["event_time"] == landed[key]["recorded_at"] == "2013-01-01T14:30:00.000000Z"
    assert landed[key]["payload"] == {"arr_delay": 11.0}


def test_arrivals_are_in_the_destinations_time_zone(found: list[dict[str, Any]]) -> None:
    times = {key: event["event_time"] for key, event in of_kind(found, "landed").items()}
    assert times["2013-01-01-B6-739-JFK-2359"] == "2013-01-02T08:25:00.000000Z"
    assert times["2013-01-01-HA-51-JFK-0900"] == "2013-01-02T01:16:00.000000Z"
    assert times["2013-03-09-B6-35-JFK-2145"] == "2013-03-10T07:03:00.000000Z"


def test_without_the_destinations_time_zone_the_arrival_is_computed_from_the_air_time(
    found: list[dict[str, Any]],
) -> None:
    key = "2013-03-09-B6-1-JFK-1200"
    assert of_kind(found, "landed")[key]["event_time"] == "2013-03-09T18:25:00.000000Z"
    assert of_kind(found, "scheduled")[key]["payload"]["sched_duration"] is None


def test_a_cancelled_flight_never_lands_and_a_repeated_row_is_one(found: list[dict[str, Any]]) -> None:
    assert "2013-01-01-EV-4308-EWR-1630" in of_kind(found, "scheduled")
    assert "2013-01-01-EV-4308-EWR-1630" not in of_kind(found, "landed")
    assert len(found) == 6 + 5


def test_windows_of_recorded_at_are_cut_exactly(data_dir: Path, found: list[dict[str, Any]]) -> None:
    middle = datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    one, other = list(events(data_dir, date(2012, 12, 31), middle)), list(events(data_dir, middle, date(2013, 3, 20)))
    assert one + other == found and one and other
    with pytest.raises(ValueError, match="no time zone"):
        list(events(data_dir, datetime(2013, 1, 1), middle))  # noqa: DTZ001 - the missing zone is tested


def test_tables_have_the_columns_of_ddl_and_workload(data_dir: Path) -> None:
    workload = load("flights")
    for name, rows in tables(data_dir).items():
        (row, *_) = rows
        assert all(f"{column} " in DDL[name] for column in row)
        assert workload.tables[name].fields.keys() <= row.keys()
    (weather,) = tables(data_dir)["weather"]
    assert weather["temp"] == 40 and weather["wind_gust"] is None
    assert weather["updated_at"] > weather["time_hour"] == datetime(2013, 1, 1, 6, tzinfo=UTC)
