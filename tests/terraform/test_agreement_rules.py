"""The comparison of Terraform and the bootstrap sees every difference, and a listed one covers only itself."""

from __future__ import annotations

from typing import Any

from tests.support.agreement import Difference, Expected, differences

MADE: dict[str, dict[str, Any]] = {
    "bucket": {"lake": {"policy": [{"Sid": "TlsOnly"}], "versioning": "Enabled", "tags": {}}}
}


def found(laptop: dict[str, dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(one.name, one.field, one.terraform, one.laptop) for one in differences(MADE, laptop)]


def test_equal_resources_do_not_differ() -> None:
    assert (
        found({"bucket": {"lake": {"versioning": "Enabled", "policy": [{"Sid": "TlsOnly"}], "lifecycle": None}}}) == []
    )


def test_a_field_an_element_and_a_resource_that_one_side_lacks_are_differences() -> None:
    assert found({"bucket": {"lake": {"policy": [], "versioning": "Suspended"}, "raw": {}}}) == [
        ("lake", "policy.0.Sid", "TlsOnly", "(absent)"),
        ("lake", "versioning", "Enabled", "Suspended"),
        ("raw", "", "(absent)", "has it"),
    ]
    assert found({}) == [("lake", "", "has it", "(absent)")]


def test_a_listed_difference_covers_its_field_and_no_other() -> None:
    listed = Expected("bucket", "l*", "policy.*", "why")
    assert listed.covers(Difference("bucket", "lake", "policy.0.Sid", "a", "b"))
    assert not listed.covers(Difference("bucket", "lake", "versioning", "a", "b"))
    assert not listed.covers(Difference("bucket", "raw", "policy.0.Sid", "a", "b"))
    assert not listed.covers(Difference("role", "lake", "policy.0.Sid", "a", "b"))
