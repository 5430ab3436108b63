"""moto's Lambda, with functions that really run and the settings that moto drops."""

from __future__ import annotations

import base64
import json
import sys
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import moto.awslambda.models
from moto.awslambda.models import LambdaBackend as MotoLambdaBackend
from moto.awslambda.models import LambdaFunction

from infra.localcloud.awslambda.invocation import invoke, require_executable
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

    def invoke(
        self, function_name: str, qualifier: str | None, body: Any, headers: Any, response_headers: Any
    ) -> str | bytes | None:
        """Invoke: runs the function and waits (RequestResponse), starts it (Event), or only looks at it (DryRun)."""
        function = self.get_function(function_name, qualifier)
        require_executable(function)
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
        event = json.loads(body) if body else {}
        if kind == "DryRun":
            return b""
        if kind == "Event":
            self._begin(function, event)
            return b""
        outcome = invoke(function, event, self.context)
        if outcome.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        response_headers["x-amz-log-result"] = base64.b64encode(outcome.tail[-4096:].encode()).decode()
        return outcome.payload.encode()

    def start_for(self, rule_arn: str, function_arn: str, event: Any) -> None:
        """Starts a function for a rule of EventBridge. As on AWS, an event that it does not accept is lost.

        Raises:
            PermissionError: The function's policy does not let the rule invoke it.
            UnknownFunctionException: There is no such function.
        """
        function = self.get_function(function_arn)
        if not any(_allows(statement, rule_arn, self.account_id) for statement in function.policy.statements):
            raise PermissionError(f"{function_arn} has no permission for {rule_arn}: call AddPermission")
        self._begin(function, event)

    def _begin(self, function: LambdaFunction, event: Any) -> None:
        def run() -> None:
            outcome = invoke(function, event, self.context)
            if outcome.failed:
                sys.stderr.write(f"Lambda: {function.function_name} failed: {outcome.payload}\n")

        self.context.background.run(f"lambda-{function.function_name}", run)


def _allows(statement: dict[str, Any], rule_arn: str, account: str) -> bool:
    """Whether a statement of a function's policy, as AddPermission writes it, lets a rule invoke the function."""
    principal = statement.get("Principal", {})
    if statement.get("Effect") != "Allow" or principal not in ({"Service": "events.amazonaws.com"}, "*"):
        return False
    given = {"aws:sourcearn": rule_arn, "aws:sourceaccount": account}
    wanted = [pair for test in statement.get("Condition", {}).values() for pair in test.items()]
    return statement.get("Action") in ("lambda:InvokeFunction", "lambda:*") and all(
        fnmatchcase(given.get(key.lower(), ""), str(value)) for key, value in wanted
    )


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
