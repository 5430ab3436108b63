"""The form of the file of exceptions. Its content is tested in tests/policy/test_policy_exceptions.py."""

from __future__ import annotations

import pytest

from infra.laptop.config import LaptopError
from infra.laptop.iam import exceptions

GOOD = """
- role: glue
  statement: WriteLogs
  actions: [logs:CreateLogGroup]
  type: service_makes_the_call
  by: glue.amazonaws.com
  reason: Glue makes the group of a job
"""


def test_the_file_can_be_read() -> None:
    exceptions.load()
    (read,) = exceptions.load(GOOD)
    assert (read.role, read.type, read.by) == ("glue", "service_makes_the_call", "glue.amazonaws.com")
    assert exceptions.load("") == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("service_makes_the_call", "because", "0.type"),
        ("  by: glue.amazonaws.com\n", "", "`by` names the service"),
        ("type: service_makes_the_call", "type: not_on_the_laptop", "`by` names the service"),
        ("reason: Glue makes the group of a job", "reason: ''", "0.reason"),
        ("[logs:CreateLogGroup]", "[]", "0.actions"),
        ("role: glue", "roles: glue", "0.role"),
    ],
)
def test_a_wrong_entry_is_named(old: str, new: str, told: str) -> None:
    with pytest.raises(LaptopError, match=r"exceptions\.yaml is wrong") as error:
        exceptions.load(GOOD.replace(old, new))
    assert told in str(error.value)
