"""Start an Athena query once (see :mod:`nightjar.jobs.submit`).

The key is the ClientRequestToken: Athena answers an equal token with the query that it already has.
"""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from nightjar.jobs.athena.query import AthenaQuery, with_key
from nightjar.jobs.submit import Attempt, SubmitOperator, fill

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

TOKEN_LENGTH = 32  # Athena refuses shorter tokens
START_TOLERANCE = timedelta(seconds=2)


class SubmitAthenaQueryOperator(SubmitOperator):
    """Returns the query execution's id.

    Args:
        query: SQL (templated). It may hold ``${submit_key}``, as the prefix of an UNLOAD must: that has to be empty.
        database: Glue catalog database (templated).
        workgroup: Athena work group, which sets the result location (templated).
        **kwargs: See :class:`SubmitOperator`.
    """

    client_type = AthenaQuery.client_type
    template_fields = aws_template_fields("submit_key", "fresh", "query", "database", "workgroup")

    def __init__(self, *, query: str, database: str, workgroup: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.query = query
        self.database = database
        self.workgroup = workgroup

    def submitted_job(self) -> AthenaQuery:
        """Returns the query."""
        return AthenaQuery(self.output)  # type: ignore[arg-type]  # rendered before it is used

    def find_or_start(self, key: str) -> Attempt:
        """Starts the query; Athena returns the existing one for a token that it knows."""
        client: AthenaClient = self.hook.conn
        answer = client.start_query_execution(
            QueryString=with_key(fill(self.query, {"submit_key": key}), key),
            ClientRequestToken=key.ljust(TOKEN_LENGTH, "-"),
            QueryExecutionContext={"Database": self.database},
            WorkGroup=self.workgroup,
        )
        query = AthenaQuery(answer["QueryExecutionId"])
        status = query.describe(client)["QueryExecution"]["Status"]
        # A wrong query fails at once, and may have failed by now. Its submission time, by AWS's clock, shows whether
        # this call started it. Without that, each failure would look like an earlier attempt's and start another one.
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return Attempt(query, status["State"], started=status["SubmissionDateTime"] >= now - START_TOLERANCE)
