"""Why a query or a request to Athena fails."""

from __future__ import annotations

from infra.localcloud.errors import LocalCloudError


class QueryError(LocalCloudError):
    """The query or its data is wrong: the query ends as FAILED with this text as StateChangeReason, as on Athena."""


class UnsupportedError(QueryError):
    """Athena may run this query, the local cloud cannot run it faithfully. The text names the function or statement."""

    def __init__(self, construct: str, advice: str = "") -> None:
        super().__init__(
            f"NOT_SUPPORTED: the local cloud's Athena cannot run {construct} faithfully and ran nothing."
            + (f" {advice}" if advice else "")
        )


class QueryCancelledError(LocalCloudError):
    """StopQueryExecution was called while the query ran."""


class InvalidRequestError(LocalCloudError):
    """The API request itself is wrong; it is answered as InvalidRequestException."""

    code = "InvalidRequestException"


class ResourceNotFoundError(InvalidRequestError):
    """There is no such prepared statement."""

    code = "ResourceNotFoundException"


class MetadataError(InvalidRequestError):
    """There is no such database or table."""

    code = "MetadataException"
