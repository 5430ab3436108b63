"""Which actions only read. Everything else may change state and is compared with what is stored."""

from __future__ import annotations

import re

_READS = re.compile(
    r"(Describe|Get|List|Head|BatchGet|BatchDescribe|TransactGet|Query|Scan|Search|Select|Filter|Lookup|Simulate"
    r"|Validate|Estimate|Preview|Check|Test|Discover|View|HEAD |GET )"
)
# Named like reads, but they issue keys, ids or tokens that a caller uses later.
_WRITES = frozenset(
    {
        ("sts", "GetSessionToken"),
        ("sts", "GetFederationToken"),
        ("cognito-identity", "GetId"),
        ("cognito-identity", "GetCredentialsForIdentity"),
        ("cognito-identity", "GetOpenIdToken"),
        ("cognito-identity", "GetOpenIdTokenForDeveloperIdentity"),
    }
)


def is_read(service: str, action: str) -> bool:
    """Whether the action changes no state that a client relies on later."""
    return _READS.match(action) is not None and (service, action) not in _WRITES
