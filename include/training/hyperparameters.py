"""Hyperparameters as a job has them, texts, and as a model takes them, with types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from include.errors import UserError
from include.workloads.library_names import model_problems


def parse(texts: Mapping[str, str]) -> dict[str, Any]:
    """Parses SageMaker's strings: as JSON where they are JSON (``0.1``, ``true``, ``null``), else the string itself."""
    return {name: _value(text) for name, text in texts.items()}


def checked(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the hyperparameters, all of which the model kind takes.

    Raises:
        UserError: The kind has no such hyperparameter, or does not take the value.
    """
    if problems := [f"{field.removeprefix('hyperparameters.')} {text}" for field, text in model_problems(kind, values)]:
        raise UserError(f"Hyperparameters do not fit the model: {'; '.join(problems)}. Correct them.")
    return dict(values)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
