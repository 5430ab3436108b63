"""What Athena checks with the keys of a query's caller: the catalog, the result's bucket, kept objects, work groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.athena import ENDED, Athena
from tests.support.localcloud import ACCOUNT, REGION, Cloud
from tests.support.policed_roles import allow

pytestmark = pytest.mark.stack
BUCKET = "athena-permissions"
WORK_GROUP = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/own"
DATABASE_READ, BUCKET_READ = allow("glue:GetDatabase"), allow("s3:GetBucketLocation")
OBJECTS_READ = allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/permitted/*")
REST = [
    allow("athena:*", WORK_GROUP),
    allow(["glue:GetTable", "glue:GetDatabases"]),
    allow("s3:ListBucket"),
    allow("s3:PutObject", f"arn:aws:s3:::{BUCKET}/results/*"),
]
AsRole = Callable[..., Callable[[str], Any]]


@pytest.fixture(scope="module")
def lake(cloud: Cloud) -> Athena:
    found = Athena(cloud, BUCKET)
    found.api.create_work_group(Name="own")
    found.table("permitted", "a string", "ROW FORMAT DELIMITED")
    found.put("permitted/0", "first\n")
    return found


def start(role: Callable[[str], Any]) -> str:
    location = {"OutputLocation": f"s3://{BUCKET}/results/"}
    started = role("athena").start_query_execution(
        QueryString="SELECT * FROM lake.permitted", WorkGroup="own", ResultConfiguration=location
    )
    return str(started["QueryExecutionId"])


def ended(lake: Athena, role: Callable[[str], Any]) -> tuple[str, str]:
    """State and reason, read with the role, whose policy names the query's work group only."""
    athena, query_id = role("athena"), start(role)

    def status() -> Any:
        found = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        return found if found["State"] in ENDED else None

    found = lake.cloud.wait_until(status)
    return found["State"], found.get("StateChangeReason", "")


def test_a_permitted_object_is_not_read_by_a_caller_without_permission(lake: Athena, as_role: AsRole) -> None:
    assert ended(lake, as_role(*REST, DATABASE_READ, BUCKET_READ, OBJECTS_READ)) == ("SUCCEEDED", "")
    state, reason = ended(lake, as_role(*REST, DATABASE_READ, BUCKET_READ))
    assert state == "FAILED"
    assert reason.startswith(f"PERMISSION_DENIED: Access Denied when reading s3://{BUCKET}/permitted/0")


def test_a_query_fails_if_its_caller_may_not_read_the_database(lake: Athena, as_role: AsRole) -> None:
    state, reason = ended(lake, as_role(*REST, BUCKET_READ, OBJECTS_READ))
    assert state == "FAILED"
    assert "is not authorized to perform: glue:GetDatabase on resource" in reason
    assert "(Service: AmazonDataCatalog; Status Code: 400; Error Code: AccessDeniedException;" in reason


def test_a_query_does_not_start_if_its_caller_may_not_locate_the_bucket(lake: Athena, as_role: AsRole) -> None:
    with pytest.raises(ClientError, match="InvalidRequestException") as caught:
        start(as_role(*REST, DATABASE_READ, OBJECTS_READ))
    assert caught.value.response["Error"]["Message"] == f"Unable to verify/create output bucket {BUCKET}"
