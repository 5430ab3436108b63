"""Start an Athena query once (see :mod:`nightjar.jobs.submit`). The key is the ClientRequestToken, which Athena
remembers.
"""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from nightjar.jobs.console import console_link
from nightjar.jobs.submit import Job, SubmitOperator, fill

TOKEN_LENGTH = 32  # Athena refuses shorter tokens
JUST_NOW = timedelta(seconds=2)


class SubmitAthenaQueryOperator(SubmitOperator):
    """Returns the query execution id; XCom ``submit_key`` holds the attempt's key.

    Same token, same query: Athena answers with the query it already has. Where results go is set by the work group.

    :param query: SQL (templated); may hold ``${submit_key}``, as an UNLOAD's prefix must: it has to be empty.
    :param database: Glue catalog database.
    :param workgroup: Athena work group, which sets the result location.
    :param submit_key: key of the work; the ClientRequestToken is made from it.
    """

    client_type = "athena"
    adoptable = frozenset({"QUEUED", "RUNNING", "SUCCEEDED"})
    template_fields = aws_template_fields("submit_key", "fresh", "query", "database", "workgroup")

    def __init__(self, *, query: str, database: str, workgroup: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.query = query
        self.database = database
        self.workgroup = workgroup

    def find_or_start(self, key: str) -> Job:
        answer = self.hook.conn.start_query_execution(
            QueryString=fill(self.query, {"submit_key": key}),
            ClientRequestToken=key.ljust(TOKEN_LENGTH, "-"),
            QueryExecutionContext={"Database": self.database},
            WorkGroup=self.workgroup,
        )
        identifier = answer["QueryExecutionId"]
        status = self.hook.conn.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]
        # A query that is wrong fails at once. It is told from an earlier attempt's failure by AWS's own clock, else it would be
        # started for ever.
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return Job(identifier, status["State"], started=status["SubmissionDateTime"] >= now - JUST_NOW)

    def console_link(self, job: Job) -> str:
        return console_link("athena", self.region_name, job.identifier)
