"""Makes sure that moto executes what was checked.

moto takes an action, and a member of that action, from the first place that has one: the query string, the body read
as a query string, even the headers. A request of another protocol could so name a second action.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs
from wsgiref.types import WSGIEnvironment

from infra.localcloud.request import AwsRequest

# A query string that means nothing: with one, moto reads neither the body nor the headers as parameters.
_NOTHING = "local-cloud"
_REGION = re.compile(r"region/[\w-]+")


def pin(request: AwsRequest, environ: WSGIEnvironment) -> str:
    """Pins the action of a request.

    Returns:
        Why the request is ambiguous and must be refused; empty if it is not.
    """
    # moto prefers a region in this header to the signed one.
    environ["HTTP_USER_AGENT"] = _REGION.sub("region", environ.get("HTTP_USER_AGENT", ""))
    if request.is_s3:  # moto never sees it
        return ""
    query = environ.get("QUERY_STRING", "")
    names = parse_qs(query, keep_blank_values=True)
    if request.protocol in ("query", "ec2"):
        if "Action" in names and request.action not in names["Action"]:
            return "The query string and the body name different actions"
        if environ.get("HTTP_X_AMZ_TARGET"):
            return "The request names an action in X-Amz-Target and in its parameters"
        return ""
    unsigned = [name for name in names if not name.startswith("X-Amz-")]
    if request.protocol == "json" and unsigned:
        return f"A request with X-Amz-Target has no query parameters, but this one has {unsigned[0]}"
    if "Action" in names:
        return "The request names an action in its query string and in its path"
    if not query:
        environ["QUERY_STRING"] = _NOTHING
        for name in ("RAW_URI", "REQUEST_URI"):
            if name in environ:
                environ[name] = f"{environ[name].partition('?')[0]}?{_NOTHING}"
    return ""
