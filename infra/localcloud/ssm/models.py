"""moto's Parameter Store, which checks the length and the pattern of a value."""

from __future__ import annotations

from typing import ClassVar

import regex
from moto.ssm.exceptions import SSMException, ValidationException
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

from infra.localcloud.install import Context

_STANDARD, _ADVANCED = 4096, 8192


class SsmBackend(SimpleSystemManagerBackend):
    """Parameters of one account and region."""

    context: ClassVar[Context]

    def put_parameter(
        self,
        name: str,
        description: str,
        value: str,
        parameter_type: str,
        allowed_pattern: str,
        keyid: str,
        overwrite: bool,
        tags: list[dict[str, str]],
        data_type: str,
        tier: str | None = None,
        policies: str | None = None,
    ) -> Parameter:
        """PutParameter.

        Raises:
            ValidationException: The value is longer than its tier allows.
            SSMException: The value does not match its pattern.
        """
        longest = _STANDARD if tier in (None, "Standard") else _ADVANCED
        if len((value or "").encode()) > longest:
            raise ValidationException(
                f"{tier or 'Standard'} tier parameters support a maximum parameter value of {longest} characters."
            )
        if allowed_pattern and not regex.fullmatch(allowed_pattern, value or ""):
            raise SSMException(
                "ParameterPatternMismatchException",
                f"Parameter value, cannot be validated against allowedPattern: {allowed_pattern}",
            )
        return super().put_parameter(
            name,
            description,
            value,
            parameter_type,
            allowed_pattern,
            keyid,
            overwrite,
            tags,
            data_type,
            tier,
            policies,
        )
