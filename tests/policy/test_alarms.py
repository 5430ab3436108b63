"""Every alarm notifies somebody, names its page in docs/runbooks/, and says what silence means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from infra.laptop.bootstrap.definitions import definition

ROOT = Path(__file__).parents[2]
RUNBOOKS = ROOT / "docs" / "runbooks"
TOPIC = "arn:aws:sns:us-east-1:123456789012:nightjar-alerts"
# What issue 10 asks for: the mission's seven, and three that notice that nothing happens.
REQUIRED = {
    "latency", "error-rate", "memory", "cpu", "unhealthy-targets", "training-failed", "scaling",
    "stale-model", "iterator-age", "dead-man",
}  # fmt: skip
HEADINGS = ("## What it means", "## How to look", "## What to do", "## How to roll back", "## How to drill it")


def alarms(part: str = "alarms", **changes: str) -> dict[str, Any]:
    """The file, filled in for the workload ``rides``: its ``alarms``, or its ``composites``."""
    names = {
        "workload": "rides",
        "topic": TOPIC,
        "runbooks": "docs/runbooks",
        "stream": "rides-events",
        "load_balancer": "app/nightjar/1",
        "target_group": "targetgroup/nightjar-rides/1",
        "max_tasks": "4",
    }
    found: dict[str, Any] = definition("alarms", **names | changes)[part]
    return found


def parts_of(composite: str) -> set[str]:
    """The names of the alarms that are parts of a composite alarm."""
    return {alarm["AlarmName"] for alarm in alarms().values() if alarm.get("part_of") == composite}


def pages() -> tuple[set[str], set[str]]:
    """The pages of alarms, and those of procedures, as the index of the runbooks lists them."""
    text = (RUNBOOKS / "README.md").read_text()
    of_alarms, procedures = text.split("## Procedures", 1)
    names = re.compile(r"\]\(([\w-]+)\.md\)")
    return set(names.findall(of_alarms)), set(names.findall(procedures))


def problems(name: str, alarm: dict[str, Any]) -> list[str]:
    """What is wrong with an alarm; its page is not looked at."""
    found = []
    told_by_another = alarm.get("part_of") in alarms("composites")
    if alarm["AlarmActions"] != [TOPIC] or alarm["OKActions"] != [TOPIC] or not alarm["ActionsEnabled"]:
        found += [] if told_by_another else ["it notifies nobody"]
    elif told_by_another:
        found.append("it notifies beside its composite alarm")
    if "AlarmRule" not in alarm and alarm["TreatMissingData"] not in ("breaching", "notBreaching"):
        found.append("it does not say what silence means")
    if not alarm["AlarmDescription"].endswith(f". What to do: docs/runbooks/{name}.md"):
        found.append("its text does not name its page")
    middle = "rides-" if alarm["per"] == "workload" else ""
    if alarm["AlarmName"] != f"nightjar-{middle}{name}":
        found.append("its name is not made of the workload's and its page's")
    if sum(member in alarm for member in ("Metrics", "MetricName", "AlarmRule")) != 1:
        found.append("it has not one metric or one expression")
    return found


@pytest.mark.parametrize("name", [*alarms(), *alarms("composites")])
def test_an_alarm_notifies_and_names_its_page(name: str) -> None:
    assert problems(name, {**alarms(), **alarms("composites")}[name]) == []


@pytest.mark.parametrize("name", alarms("composites"))
def test_a_composite_alarm_goes_off_with_each_of_its_parts(name: str) -> None:
    """A part that its rule lacks would tell nobody."""
    rule = alarms("composites")[name]["AlarmRule"]
    assert set(re.findall(r'ALARM\("([^"]+)"\)', rule)) == parts_of(name)
    assert set(re.sub(r'ALARM\("[^"]+"\)', "", rule).split()) <= {"OR"}


def test_the_parts_of_a_composite_alarm_exist_and_notify_through_it() -> None:
    parents = {alarm["part_of"] for alarm in alarms().values() if "part_of" in alarm}
    assert parents == set(alarms("composites"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"AlarmActions": []}, "it notifies nobody"),
        ({"ActionsEnabled": False}, "it notifies nobody"),
        ({"part_of": "never-was", "AlarmActions": []}, "it notifies nobody"),
        ({"part_of": "service-down"}, "it notifies beside its composite alarm"),
        ({"TreatMissingData": "missing"}, "it does not say what silence means"),
        ({"AlarmDescription": "CPU is high."}, "its text does not name its page"),
        ({"AlarmName": "cpu"}, "its name is not made of the workload's and its page's"),
        ({"Metrics": []}, "it has not one metric or one expression"),
    ],
)
def test_an_alarm_without_its_parts_is_found(change: dict[str, Any], problem: str) -> None:
    assert problems("cpu", alarms()["cpu"] | change) == [problem]


def test_there_is_a_page_for_every_alarm_and_an_alarm_for_every_page() -> None:
    of_alarms, procedures = pages()
    assert of_alarms == {*alarms(), *alarms("composites")}
    files = {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"}
    assert files == of_alarms | procedures
    assert procedures == {"deploy-stopped", "restore-database"}


@pytest.mark.parametrize("name", [*alarms(), *alarms("composites")])
def test_a_page_answers_the_five_questions(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert re.findall(r"^## .*$", text, re.MULTILINE) == list(HEADINGS)


def test_the_required_alarms_are_there() -> None:
    assert set(alarms()) >= REQUIRED


def test_only_the_return_of_one_expression_decides() -> None:
    for name, alarm in alarms().items():
        returned = [query["Id"] for query in alarm.get("Metrics", []) if query["ReturnData"]]
        assert len(returned) == ("Metrics" in alarm), name


def test_the_silence_of_the_dead_man_check_is_an_alarm() -> None:
    assert alarms()["dead-man"]["TreatMissingData"] == "breaching"
