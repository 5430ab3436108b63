"""What Terraform needs of each resource: described as given, listed, tagged, changed and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.config import Config as ClientConfig
from botocore.exceptions import ClientError

from tests.support.aws_resource_types import Call, Resource
from tests.support.aws_resources import RESOURCES
from tests.support.localcloud import ACCOUNT, Cloud

pytestmark = pytest.mark.stack


def call(client: Any, step: Call, found: Any = None) -> Any:
    """Makes a call; a value in braces is a member of what was found."""
    operation, members = step
    values = {
        key: value.format(**(found or {})) if value == "{queryDefinitionId}" else value
        for key, value in members.items()
    }
    return getattr(client, operation)(**values)


def look(client: Any, resource: Resource) -> Any:
    """The description of the resource; None if there is none."""
    found = call(client, resource.describe)
    for part in resource.found:
        if isinstance(part, int) and len(found) <= part:
            return None
        found = found[part]
    return found


def differences(expected: Mapping[str, Any], found: Any) -> dict[str, Any]:
    """The members that are not as expected, with what was found."""
    return {name: found.get(name) for name, value in expected.items() if found.get(name) != value}


@pytest.fixture
def prepared(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Resource]:
    """The resource of the test's parameter, with what it needs."""
    resource = RESOURCES[request.param]
    for service, operation, members in resource.before:
        getattr(cloud.client(service), operation)(**members)
    yield resource
    for service, operation, members in resource.after:
        getattr(cloud.client(service), operation)(**members)


@pytest.mark.parametrize("prepared", sorted(RESOURCES), indirect=True)
def test_a_resource_is_as_it_was_given_until_it_is_deleted(cloud: Cloud, prepared: Resource) -> None:
    client = cloud.client(prepared.service)
    tags = prepared.tagging
    operation, members = prepared.create
    if tags and prepared.create_tags:
        members = {**members, prepared.create_tags: tags.form({"team": "a"})}
    call(client, (operation, members))

    found = look(client, prepared)
    assert differences(prepared.given, found) == {}
    assert [name for name in prepared.absent if name in found] == []

    if tags:
        arn = prepared.arn(found) if callable(prepared.arn) else found[prepared.arn]
        named = {tags.member: arn}
        at_create = {"team": "a"} if prepared.create_tags else {}
        assert tags.read(getattr(client, tags.get)(**named)[tags.listed]) == at_create
        getattr(client, tags.put)(**named, **{tags.tags: tags.form({"team": "b", "cost": "1"})})
        assert tags.read(getattr(client, tags.get)(**named)[tags.listed]) == {"team": "b", "cost": "1"}
        getattr(client, tags.remove)(**named, **{tags.keys: ["team"]})
        assert tags.read(getattr(client, tags.get)(**named)[tags.listed]) == {"cost": "1"}

    if prepared.update:
        call(client, prepared.update, found)
        changed = look(client, prepared) or {}
        assert differences(prepared.updated, changed) == {}

    call(client, prepared.delete, found)
    if prepared.gone:
        with pytest.raises(ClientError) as error:
            look(client, prepared)
        assert error.value.response["Error"]["Code"] == prepared.gone
    else:
        assert differences(prepared.given, look(client, prepared) or {}) != {}


def test_as_http_proxy_it_answers_hosts_with_a_label_before_the_endpoint(cloud: Cloud) -> None:
    config = ClientConfig(proxies={"http": cloud.endpoint}, retries={"total_max_attempts": 1})
    control = cloud.client("s3control", config=config)
    block = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=block)
    assert control.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == block
    control.delete_public_access_block(AccountId=ACCOUNT)
    with pytest.raises(ClientError, match=r"has no service airflow\. It did not do airflow:ListEnvironments"):
        cloud.client("mwaa", config=config).list_environments()
