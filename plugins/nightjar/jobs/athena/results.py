"""The rows of an Athena query that has succeeded. For small results: they go through the API, not through S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

MAX_ROWS = 1000  # one page of GetQueryResults


def query_rows(
    query_execution_id: str, region_name: str | None = None, *, pages: int = 1
) -> list[dict[str, str | None]]:
    """Returns one dict for each row: column name → text, None for NULL.

    Args:
        query_execution_id: The query.
        region_name: Its region.
        pages: How many pages of 1,000 rows, the header among them, the result may have.

    Raises:
        ValueError: The result has more rows.
    """
    client: AthenaClient = AwsBaseHook(aws_conn_id=None, client_type="athena", region_name=region_name).conn
    answer = client.get_query_results(QueryExecutionId=query_execution_id, MaxResults=MAX_ROWS)
    names = [column["Name"] for column in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]
    for _ in range(pages - 1):
        if not (token := answer.get("NextToken")):
            break
        answer = client.get_query_results(QueryExecutionId=query_execution_id, MaxResults=MAX_ROWS, NextToken=token)
        rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]
    if answer.get("NextToken"):
        raise ValueError(
            f"Athena query {query_execution_id} has more than {pages * MAX_ROWS - 1} rows: read its file in S3 instead"
        )
    if rows and rows[0] == names:  # a SELECT's first row is its header
        del rows[0]
    return [dict(zip(names, row, strict=True)) for row in rows]
