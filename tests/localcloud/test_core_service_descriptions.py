"""What the local cloud reads of AWS's descriptions of its services says the same as the whole."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.loaders import Loader
from moto.core.loaders import Loader as MotoLoader
from moto.core.loaders import moto_root

from infra.localcloud.service_descriptions import WithoutDocumentation, without_documentation


def test_texts_are_emptied_and_members_of_that_name_stay() -> None:
    described = {
        "documentation": "<p>A text.</p>",
        "shapes": {"Job": {"members": {"documentation": {"shape": "String", "documentation": "A text."}}}},
        "examples": [{"documentation": "A text.", "id": 1}, "documentation"],
    }
    assert without_documentation(described) == {
        "documentation": "",
        "shapes": {"Job": {"members": {"documentation": {"shape": "String", "documentation": ""}}}},
        "examples": [{"documentation": "", "id": 1}, "documentation"],
    }


def test_all_else_is_as_in_the_file_and_in_its_order() -> None:
    whole, lean = Loader(), Loader(file_loader=WithoutDocumentation())
    for kind in ("service-2", "endpoint-rule-set-1", "paginators-1"):
        expected, found = (loader.load_service_model("sqs", kind) for loader in (whole, lean))
        assert json.dumps(found) == json.dumps(_pruned(expected))
    assert len(json.dumps(lean.load_service_model("sqs", "service-2"))) < 70_000  # 136,000 with its texts


def test_a_client_is_made_with_every_part_of_such_a_description() -> None:
    session = botocore.session.Session()
    session.register_component("data_loader", Loader(file_loader=WithoutDocumentation()))
    for service in ("s3", "sqs"):
        client = session.create_client(
            service, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
        )
        assert client.meta.service_model.operation_names
        assert client.get_paginator("list_objects_v2" if service == "s3" else "list_queues")


def test_a_missing_file_is_none() -> None:
    assert WithoutDocumentation().load_file("/nowhere/at/all") is None


def test_moto_and_the_clients_share_a_description() -> None:
    ours, motos = loaders()
    for service, kind in (("glue", "service-2"), ("lambda", "service-2"), ("dynamodb", "waiters-2")):
        assert ours.load_service_model(service, kind) is motos.load_service_model(service, kind)


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        *((service, "service-2") for service in ("ec2", "s3", "s3control", "sqs", "rds")),
        *((service, "paginators-1") for service in ("emr-serverless", "sagemaker")),
    ],
)
def test_what_one_adds_to_a_description_the_other_does_not_see(service: str, kind: str) -> None:
    ours, motos = loaders()
    seen = [loader.load_service_model(service, kind) for loader in (motos, ours)]
    apart = [MotoLoader(extra_search_paths=[moto_root]), Loader()]
    expected = [_pruned(loader.load_service_model(service, kind)) for loader in apart]
    assert json.dumps(expected[0]) != json.dumps(expected[1])
    assert json.dumps(seen) == json.dumps(expected)


def loaders() -> tuple[Loader, MotoLoader]:
    """The clients' and moto's."""
    motos = MotoLoader(extra_search_paths=[moto_root], file_loader=WithoutDocumentation())
    return Loader(file_loader=WithoutDocumentation()), motos


def _pruned(value: Any) -> Any:
    """The same by another way: a round of JSON, in which each object is looked at when it is complete."""

    def without(found: dict[str, Any]) -> dict[str, Any]:
        if isinstance(found.get("documentation"), str):
            found["documentation"] = ""
        return found

    return json.loads(json.dumps(value), object_hook=without)
