"""The kinds of Params that the DAGs have."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from nightjar.notes import add_note


def date_param(description: str) -> Param:
    """Returns a Param for a day; empty unless a person sets it."""
    return Param(None, type=["null", "string"], format="date", description=description)


def instant_param(description: str) -> Param:
    """Returns a Param for an ISO 8601 instant; empty unless a person sets it."""
    return Param(None, type=["null", "string"], format="date-time", description=description)


def object_param(description: str, properties: dict[str, Any]) -> Param:
    """Returns a Param for a JSON object with exactly these properties (JSON Schema); empty unless a person sets it."""
    schema: dict[str, Any] = {"properties": properties, "required": [*properties], "additionalProperties": False}
    return Param(None, type=["null", "object"], description=description, **schema)


def flag_param(description: str) -> Param:
    """Returns a boolean Param; false unless a person sets it."""
    return Param(False, type="boolean", description=description)


def number_param(default: int, description: str, *, minimum: int, maximum: int) -> Param:
    """Returns a Param for a whole number. Its default is its example."""
    return Param(default, type="integer", minimum=minimum, maximum=maximum, description=description, examples=[default])


def amount_param(default: float, description: str) -> Param:
    """Returns a Param for an amount that is not negative. Its default is its example."""
    return Param(default, type="number", minimum=0, description=description, examples=[default])


def choice_param(choices: Sequence[str], description: str) -> Param:
    """Returns a Param that is one of the given texts; the first one unless a person chooses another."""
    return Param(choices[0], type="string", enum=[*choices], description=description, examples=[choices[-1]])


def require_known_params(dag_run: Any, params: Mapping[str, Any]) -> None:
    """Checks that the configuration of a run has only Params of its DAG; Airflow ignores any other key.

    Raises:
        AirflowFailException: It has other keys. The text names them, near names, and the Params.
    """
    unknown = sorted(set(dag_run.conf or {}) - set(params))
    if not unknown:
        return
    hints = [
        f'"{name}"' + "".join(f' (did you mean "{near}"?)' for near in difflib.get_close_matches(name, params, 1))
        for name in unknown
    ]
    reason = (
        f"The run's configuration has unknown keys: {', '.join(hints)}. The Params are {', '.join(sorted(params))}. "
        "Trigger the DAG again with those only."
    )
    add_note(reason)
    raise AirflowFailException(reason)
