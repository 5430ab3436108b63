"""The offerings of instance types, which are read when they are asked for, are moto's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.localcloud import ROOT, Cloud

pytestmark = pytest.mark.stack
TYPES = ("region", "availability-zone", "availability-zone-id")
# Each in a process of its own: moto reads them at its import.
MOTO = "from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS as found"
OURS = f"from infra.localcloud.instance_offerings import *; read_offerings_when_asked(); {MOTO}"
REGIONS = ("us-east-1", "eu-central-1")
PRINT = f"""
import json
assert "eu-nowhere-1" not in found["region"] and found["region"].get("eu-nowhere-1", "none") == "none"
print(json.dumps([sorted(found), sorted(found["region"]), [found[t][r] for t in {TYPES} for r in {REGIONS}]]))
"""


def test_they_are_the_same() -> None:
    printed = [
        subprocess.run([sys.executable, "-c", code + PRINT], cwd=ROOT, capture_output=True, check=True).stdout
        for code in (MOTO, OURS)
    ]
    assert len(json.loads(printed[0])[2][0]) > 100
    assert printed[0] == printed[1]


def test_they_are_not_kept() -> None:
    code = OURS + "; print([type(one).__name__ for one in found.values()])"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout
    assert printed.decode().split() == ["['Offerings',", "'Offerings',", "'Offerings']"]


def test_a_client_gets_them(cloud: Cloud) -> None:
    found = cloud.client("ec2").describe_instance_type_offerings(LocationType="availability-zone")
    offered = {one["InstanceType"] for one in found["InstanceTypeOfferings"]}
    assert "m5.large" in offered
