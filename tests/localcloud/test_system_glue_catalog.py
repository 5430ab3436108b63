"""The provider's operators of the Glue catalog: a database that Athena sees, until it is deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.localcloud import ACCOUNT, Cloud
from tests.support.policed_roles import allow
from tests.support.system_runs import SystemRun

pytestmark = pytest.mark.stack
DATABASE = "system_catalog"


def test_a_database_is_created_once_and_deleted(cloud: Cloud, system_run: Callable[..., SystemRun]) -> None:
    from airflow.providers.amazon.aws.operators import glue_catalog as operators

    glue, arn = cloud.client("glue"), f"arn:aws:glue:us-east-1:{ACCOUNT}"
    kinds = ("catalog", f"database/{DATABASE}", f"table/{DATABASE}/*", f"userDefinedFunction/{DATABASE}/*")
    resources = [f"{arn}:{kind}" for kind in kinds]
    run = system_run(allow(["glue:CreateDatabase", "glue:DeleteDatabase", "glue:TagResource"], resources))
    create: dict[str, Any] = {
        "database_name": DATABASE, "description": "a test", "location_uri": "s3://lake/catalog/",
        "parameters": {"owner": "ml"}, "tags": {"team": "ml"},
    }  # fmt: skip
    for _ in range(2):
        assert run.execute(operators.GlueCatalogCreateDatabaseOperator, **create) == DATABASE
    found = glue.get_database(Name=DATABASE)["Database"]
    assert (found["Description"], found["LocationUri"], found["Parameters"]) == (
        "a test", "s3://lake/catalog/", {"owner": "ml"},
    )  # fmt: skip
    assert glue.get_tags(ResourceArn=f"{arn}:database/{DATABASE}")["Tags"] == {"team": "ml"}
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        run.execute(operators.GlueCatalogCreateDatabaseOperator, if_exists="fail", **create)

    run.execute(operators.GlueCatalogDeleteDatabaseOperator, database_name=DATABASE)
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_database(Name=DATABASE)
    with pytest.raises(ClientError, match="is not authorized to perform: glue:CreateDatabase"):
        run.execute(operators.GlueCatalogCreateDatabaseOperator, database_name="another")
