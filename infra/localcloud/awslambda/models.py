"""moto's Lambda, with the settings of a function that moto drops."""

from __future__ import annotations

from typing import Any, ClassVar

import moto.awslambda.models
from moto.awslambda.models import LambdaBackend as MotoLambdaBackend
from moto.awslambda.models import LambdaFunction

from infra.localcloud.install import Context

_DROPPED = ("DeadLetterConfig", "KMSKeyArn", "LoggingConfig")


class LambdaBackend(MotoLambdaBackend):
    """The functions of one account and region."""

    context: ClassVar[Context]

    def create_function(self, spec: dict[str, Any]) -> LambdaFunction:
        """CreateFunction."""
        function = super().create_function(spec)
        _keep(function, spec)
        return function

    def update_function_configuration(
        self, function_name: str, qualifier: str, body: dict[str, Any]
    ) -> dict[str, Any] | None:
        """UpdateFunctionConfiguration."""
        _keep(self.get_function(function_name, qualifier), body)
        return super().update_function_configuration(function_name, qualifier, body)


def _keep(function: LambdaFunction, given: dict[str, Any]) -> None:
    """Keeps the dropped settings on the function. An empty one, such as a dead letter without target, removes it."""
    settings: dict[str, Any] = dict(getattr(function, "settings", {}))
    for name in _DROPPED:
        if name in given:
            settings[name] = given[name]
        if settings.get(name) in ("", {}, {"TargetArn": ""}, None):
            settings.pop(name, None)
    function.settings = settings  # type: ignore[attr-defined]  # an attribute of ours


def describe_what_was_given() -> None:
    """Makes a function's configuration report the kept settings. Calling it again does nothing."""
    original = LambdaFunction.get_configuration
    if getattr(original, "complete", False):
        return

    def get_configuration(self: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        return {**original(self, on_create), **getattr(self, "settings", {})}

    get_configuration.complete = True  # type: ignore[attr-defined]  # a mark on the function
    models: Any = moto.awslambda.models
    models.LambdaFunction.get_configuration = get_configuration
