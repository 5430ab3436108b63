"""KMS keys that S3 uses for the caller of a request: the caller needs the key's permission, too.

S3 itself says which (``infra/localcloud/s3/key_uses.py``), because only it knows how its objects are encrypted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.s3.models import s3_backends

from infra.localcloud.authorization.s3_requests import S3Request


@dataclass(frozen=True)
class KeyUse:
    """One use of a key.

    Attributes:
        action: The action of KMS.
        key: The key's ARN.
        encrypted: The ARN that is the encryption context: the bucket's with a bucket key, else the object's.
    """

    action: str
    key: str
    encrypted: str


def uses(request: S3Request) -> list[KeyUse]:
    """The uses of keys that a request needs."""
    backend: Any = s3_backends[request.account]["aws"]
    ask: Callable[[S3Request], list[KeyUse]] | None = getattr(backend, "key_uses", None)  # moto's own has none
    return ask(request) if ask and request.key else []
