"""The kinds of Params that the DAGs have: what Airflow's form shows for each, and what it accepts.

Every kind takes a description and an example. The example is in the form's text, and in the Param's JSON Schema, from
which Airflow's form makes suggestions for a text. A Param that may be empty is None then, and its description says what
that means.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException

from nightjar.notes import add_note


def date_param(description: str, example: str = "2013-03-01") -> Param:
    """Returns a Param for a day, which the form picks from a calendar; empty unless a person sets it."""
    return _optional("string", description, [example], format="date")


def instant_param(description: str, example: str = "2013-03-01T06:00:00Z") -> Param:
    """Returns a Param for an ISO 8601 instant, which the form picks; empty unless a person sets it."""
    return _optional("string", description, [example], format="date-time")


def text_param(description: str, example: str, **schema: Any) -> Param:
    """Returns a Param for a text; empty unless a person sets it."""
    return _optional("string", description, [example], **schema)


def suggesting_param(description: str, suggestions: Sequence[str], pattern: str) -> Param:
    """Returns a Param for a text or a whole number that a person types or takes from suggestions; empty unless set.

    Args:
        description: What it is, and what an empty one means.
        suggestions: Values that the form suggests.
        pattern: What a text has to match (JSON Schema).
    """
    # The form shows a field for the first type that is not null. A number of a REST call needs no quotes.
    return Param(
        None,
        type=["null", "string", "integer"],
        pattern=pattern,
        minimum=1,
        description=_with_examples(description, suggestions),
        examples=[*suggestions],
    )


def number_param(default: int, description: str, *, minimum: int, maximum: int) -> Param:
    """Returns a Param for a whole number. Its default is its example."""
    return Param(
        default,
        type="integer",
        minimum=minimum,
        maximum=maximum,
        description=_with_examples(description, [default]),
        examples=[default],
    )


def optional_number_param(description: str, example: int, *, minimum: int) -> Param:
    """Returns a Param for a whole number; empty unless a person sets it."""
    return _optional("integer", description, [example], minimum=minimum)


def object_param(description: str, properties: dict[str, Any], example: Mapping[str, Any]) -> Param:
    """Returns a Param for a JSON object with exactly these properties (JSON Schema); empty unless a person sets it."""
    schema: dict[str, Any] = {"properties": properties, "required": [*properties], "additionalProperties": False}
    return _optional("object", description, [example], **schema)


def flag_param(description: str) -> Param:
    """Returns a boolean Param, a switch in the form; false unless a person sets it."""
    return Param(False, type="boolean", description=description, examples=[True])


def dry_run_param() -> Param:
    """Returns the flag of a run that only reports. The first task of its DAG does so and skips the others."""
    return flag_param("Only report what would be done, at once: wait for nothing, start and change nothing.")


def amount_param(default: float, description: str) -> Param:
    """Returns a Param for an amount that is not negative. Its default is its example."""
    return Param(
        default, type="number", minimum=0, description=_with_examples(description, [default]), examples=[default]
    )


def choice_param(choices: Sequence[str], description: str) -> Param:
    """Returns a Param that is one of the given texts; the first one unless a person chooses another."""
    text = _with_examples(description, [choices[-1]])
    return Param(choices[0], type="string", enum=[*choices], description=text, examples=[choices[-1]])


def _optional(kind: str, description: str, examples: Sequence[Any], **schema: Any) -> Param:
    text = _with_examples(description, examples)
    return Param(None, type=["null", kind], description=text, examples=[*examples], **schema)


def _with_examples(description: str, examples: Sequence[Any]) -> str:
    texts = [example if isinstance(example, str) else json.dumps(example) for example in examples]
    return f"{description} {'Examples' if len(texts) > 1 else 'Example'}: {', '.join(texts)}"


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
