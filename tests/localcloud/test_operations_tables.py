"""The tables of operations, held against moto and against botocore's models."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from moto.core.utils import get_service_model

from infra.localcloud.operations.document import render, render_readme
from infra.localcloud.operations.shapes import read_pattern
from infra.localcloud.operations.table import KINDS, TABLES, service_table, services
from tests.support.localcloud import ROOT
from tests.support.moto_operations import ODD

LISTED = sorted(name for name, service in services().items() if service.refused is None)


@pytest.fixture(scope="module")
def implemented() -> Mapping[str, list[str]]:
    """The operations that moto and our folders implement."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.moto_operations"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def operation_names(service: str) -> set[str]:
    return set(get_service_model(service).operation_names)


def test_every_service_of_moto_is_listed(implemented: Mapping[str, list[str]]) -> None:
    assert set(services()) == set(implemented) | ODD


@pytest.mark.parametrize("service", sorted(services()))
def test_a_service_is_recognised_as_botocore_signs_it(service: str) -> None:
    model, line = get_service_model(service), services()[service]
    assert line.signing_name == model.signing_name
    assert line.target_prefix == model.metadata.get("targetPrefix")
    by_version = model.metadata["protocol"] in ("query", "ec2")
    assert line.version == (model.metadata["apiVersion"] if by_version else None)


def test_every_table_belongs_to_a_service_and_every_other_service_has_a_reason() -> None:
    assert {file.stem for file in TABLES.glob("*.yaml")} == {*LISTED, "services"}
    assert all(service.refused is None or service.refused for service in services().values())


@pytest.mark.parametrize("service", LISTED)
def test_each_operation_that_is_answered_is_in_the_table_once(
    service: str, implemented: Mapping[str, list[str]]
) -> None:
    read: dict[str, Any] = yaml.safe_load((TABLES / f"{service}.yaml").read_text())
    names = [name for kind in KINDS for group in read.get(kind, []) for name in group["operations"]]
    assert len(names) == len(set(names))
    assert set(names) <= operation_names(service), "no such operation"
    if service in ODD:
        assert set(names) == operation_names(service)
    else:
        assert set(implemented[service]) <= set(names), "missing in the table"
        claimed = {name for name, line in service_table(service).operations.items() if line.kind != "refused"}
        assert claimed <= set(implemented[service]), "claimed and not implemented"


@pytest.mark.parametrize("service", LISTED)
def test_state_only_says_what_does_not_act_and_refused_says_why(service: str) -> None:
    for name, line in service_table(service).operations.items():
        assert line.kind == "executes" or line.text, name


@pytest.mark.parametrize("service", LISTED)
def test_members_in_the_table_are_members_of_the_operation(service: str) -> None:
    table, model = service_table(service), get_service_model(service)
    paths = [(name, member.path) for name, members in table.refused_members.items() for member in members]
    paths += [(name, tuple(path.split("."))) for name, members in table.ignored_members.items() for path in members]
    for name, path in paths:
        assert table.operations[name].kind != "refused"
        shape: Any = model.operation_model(name).input_shape
        for part in path:
            while shape.type_name == "list":
                shape = shape.member
            assert part in shape.members, (name, path)
            shape = shape.members[part]


@pytest.mark.parametrize("service", LISTED)
def test_every_pattern_of_aws_is_understood(service: str) -> None:
    model = get_service_model(service)
    metadata = [model.shape_for(name).metadata for name in model.shape_names]
    texts = {shape["pattern"] for shape in metadata if "pattern" in shape}
    assert [text for text in texts if read_pattern(text) is None] == []


# What is created can be found and deleted by an operation of another name, or ends by itself.
OTHERWISE = {
    ("budgets", "CreateNotification"),
    ("cloudfront", "CreateDistributionWithTags"),
    ("ec2", "CreateDefaultSubnet"),
    ("ec2", "CreateDefaultVpc"),
    ("ec2", "CreateLaunchTemplateVersion"),
    ("glue", "RegisterSchemaVersion"),
    ("iam", "CreateServiceLinkedRole"),
    ("kms", "CreateGrant"),
    ("kms", "CreateKey"),
    ("s3", "CreateMultipartUpload"),
    ("sagemaker", "CreateModelPackage"),
    ("sagemaker", "CreateModelPackageGroup"),
    ("sagemaker", "CreateProcessingJob"),
    ("sagemaker", "CreateTrainingJob"),
    ("servicediscovery", "CreateHttpNamespace"),
    ("servicediscovery", "CreatePrivateDnsNamespace"),
    ("servicediscovery", "CreatePublicDnsNamespace"),
}


@pytest.mark.parametrize("service", LISTED)
def test_what_is_created_can_be_deleted(service: str) -> None:
    answered = {name for name, line in service_table(service).operations.items() if line.kind != "refused"}
    for name in sorted(answered):
        created = re.fullmatch(r"(?:Create|Register)(.+)", name)
        if created and (service, name) not in OTHERWISE:
            kind = created[1]
            assert answered & {f"Delete{kind}", f"Deregister{kind}", f"Delete{kind}s"}, name


def test_the_documents_are_current() -> None:
    run = "run: python -m infra.localcloud.operations.document"
    assert (ROOT / "docs" / "local-cloud.md").read_text() == render(), run
    readme = (ROOT / "infra" / "localcloud" / "README.md").read_text()
    assert readme == render_readme(readme), run
