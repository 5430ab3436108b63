"""The actions of Step Functions that moto lacks."""

from __future__ import annotations

import json

from moto.stepfunctions.responses import StepFunctionResponse

from infra.localcloud.stepfunctions.definitions import problems

_MOST = 100


def validate_state_machine_definition(self: StepFunctionResponse) -> str:
    """Answers ValidateStateMachineDefinition."""
    most = int(self._get_param("maxResults") or _MOST)
    found = [
        {"severity": "ERROR", "code": one.code, "message": one.message, "location": one.location}
        for one in problems(self._get_param("definition"))
    ]
    return json.dumps(
        {"result": "FAIL" if found else "OK", "diagnostics": found[:most], "truncated": len(found) > most}
    )


def list_state_machine_versions(self: StepFunctionResponse) -> str:
    """Answers ListStateMachineVersions: there are none, because PublishStateMachineVersion is refused."""
    self.stepfunction_backend.describe_state_machine(self._get_param("stateMachineArn"))
    return json.dumps({"stateMachineVersions": []})


ACTIONS = (validate_state_machine_definition, list_state_machine_versions)
