"""Parses and validates a workload's YAML files; each problem names the field that it concerns."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from include.workloads.errors import WorkloadProblem
from include.workloads.suggestions import did_you_mean

# The same parser in C: every task of Airflow reads every workload, and would spend a tenth of a second on it.
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):
    """YAML with the scalars of version 1.2, in which a repeated key is an error.

    YAML 1.1 reads ``on`` as true and ``2013-03-01`` as a date, and keeps the last of two equal keys.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem="a key must be a name", problem_mark=key_node.start_mark)
            if key_node.tag != "tag:yaml.org,2002:merge" and key in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key!r} occurs twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def parse_yaml(text: str, file: str) -> tuple[dict[str, Any], list[WorkloadProblem]]:
    """Parses a file that must hold a mapping.

    Returns:
        The mapping and no problem, or an empty mapping and what is wrong.
    """
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        return {}, [WorkloadProblem(file, "", f"is not YAML{where}: {getattr(error, 'problem', None) or error}")]
    if not isinstance(value, dict):
        return {}, [WorkloadProblem(file, "", "must be a mapping of names to values")]
    return value, []


def validate[M: BaseModel](
    model: type[M], value: Any, file: str, prefix: str = ""
) -> tuple[M | None, list[WorkloadProblem]]:
    """Validates parsed YAML.

    Args:
        model: The pydantic model.
        value: The parsed value.
        file: Path of the file, for the problems.
        prefix: Dotted path of ``value`` in the file.

    Returns:
        The model and no problem, or None and a problem for each wrong field.
    """
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        problems = []
        for item in error.errors():
            location = [str(part) for part in item["loc"] if part != "[key]"]
            text = item["msg"].removeprefix("Value error, ")
            if item["type"] == "extra_forbidden":
                known = _field_names(model, item["loc"][:-1])
                text = f"is not a field here{did_you_mean(str(item['loc'][-1]), known)}"
            problems.append(WorkloadProblem(file, ".".join([prefix, *location] if prefix else location), text))
        return None, problems


def _field_names(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The names of the fields that the part at this location may have, as YAML writes them."""
    annotation: Any = model
    for part in location:
        if part == "[key]":
            return []
        models = _models(annotation)
        if not models:
            return []
        field = _by_name(models[0]).get(str(part))
        annotation = field.annotation if field else models[0]
    return [name for found in _models(annotation) for name in _by_name(found)]


def _by_name(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {str(field.validation_alias or name): field for name, field in model.model_fields.items()}


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models in an annotation: itself, or those of its values or members."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models(argument)]
