"""Athena queries."""

from nightjar.jobs.athena.listing import AthenaQueries
from nightjar.jobs.athena.query import AthenaQuery, AthenaQueryResult
from nightjar.jobs.athena.results import query_rows
from nightjar.jobs.athena.submit import SubmitAthenaQueryOperator

__all__ = ["AthenaQueries", "AthenaQuery", "AthenaQueryResult", "SubmitAthenaQueryOperator", "query_rows"]
