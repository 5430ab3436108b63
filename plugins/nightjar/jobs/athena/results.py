"""Rows of an Athena query that has ended. For small results: they go through the API, not through S3."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

MOST_ROWS = 1000  # one page of GetQueryResults; more is not small


def query_rows(query_execution_id: str, region_name: str | None = None) -> list[dict[str, str | None]]:
    """Column name → text (None for NULL), a dict a row. Raises ValueError for more than 999 rows."""
    client: Any = AwsBaseHook(aws_conn_id=None, client_type="athena", region_name=region_name).conn
    answer = client.get_query_results(QueryExecutionId=query_execution_id, MaxResults=MOST_ROWS)
    if answer.get("NextToken"):
        raise ValueError(
            f"Athena query {query_execution_id} has more than {MOST_ROWS - 1} rows: read its file in S3 instead"
        )
    names = [column["Name"] for column in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    header, *rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]
    if header != names:
        rows.insert(0, header)
    return [dict(zip(names, row, strict=True)) for row in rows]
