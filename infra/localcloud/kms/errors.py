"""KMS's errors that moto lacks."""

from __future__ import annotations

from moto.core.exceptions import JsonRESTError


class DisabledKeyError(JsonRESTError):
    """The key is disabled."""

    code = 400

    def __init__(self, arn: str) -> None:
        super().__init__("DisabledException", f"{arn} is disabled.")


class InvalidKeyStateError(JsonRESTError):
    """The key's state does not allow the operation."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("KMSInvalidStateException", message)


class InvalidKeyUsageError(JsonRESTError):
    """The key is not for this operation, or not for this algorithm."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("InvalidKeyUsageException", message)


class IncorrectKeyError(JsonRESTError):
    """The ciphertext was encrypted with another key."""

    code = 400

    def __init__(self) -> None:
        super().__init__(
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
        )


class InvalidSignatureError(JsonRESTError):
    """The signature is not that of the message."""

    code = 400

    def __init__(self) -> None:
        super().__init__("KMSInvalidSignatureException", "")
