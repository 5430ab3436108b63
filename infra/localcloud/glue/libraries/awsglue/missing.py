"""The error for parts of AWS Glue's library that do not exist here."""

from __future__ import annotations


class NotAvailableError(NotImplementedError):
    """The local cloud's awsglue does not have this."""

    def __init__(self, name: str, instead: str) -> None:
        super().__init__(f"{name} is not available in the local cloud's awsglue. Instead: {instead}.")


def refuse_options(where: str, options: dict[str, object], known: frozenset[str]) -> None:
    """Refuses options that would change the result and are not honoured.

    Raises:
        NotAvailableError: One of the options is not in ``known``.
    """
    for name, value in options.items():
        if name not in known:
            raise NotAvailableError(
                f"The option {name}={value!r} of {where}", "toDF() and Spark's own reader or writer"
            )
