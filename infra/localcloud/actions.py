"""Actions that moto lacks, written as functions of a backend and the request's members."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse

Members = dict[str, Any]


class AwsError(ServiceException):
    """An error of AWS, made with its code and message. moto looks up the service of its own exceptions by module."""


def answered_by[Backend](
    find: Callable[[Any], Backend],
) -> Callable[[Callable[[Backend, Members], object]], Callable[[Any], ActionResult]]:
    """Makes a moto action of a function of the backend and the request's members, which returns the answer's members.

    Args:
        find: Returns the backend of a response object of moto.
    """

    def decorate(function: Callable[[Backend, Members], object]) -> Callable[[Any], ActionResult]:
        @wraps(function)
        def action(self: Any) -> ActionResult:
            return ActionResult(function(find(self), members(self)))

        return action

    return decorate


def members(response: BaseResponse) -> Members:
    """The request's members: parsed by moto, or of a JSON body."""
    if response.automated_parameter_parsing:
        return dict(response.params)
    read: Members = json.loads(response.body or "{}")
    return read


def kept(request: Mapping[str, Any], *names: str) -> Members:
    """The named members, as far as they were given."""
    return {name: request[name] for name in names if request.get(name) is not None}


def found[Backend](known: Mapping[str, Backend], name: str, code: str, message: str) -> Backend:
    """The entry with this name.

    Raises:
        AwsError: With this code and message, if there is none.
    """
    if name not in known:
        raise AwsError(code, message)
    return known[name]
