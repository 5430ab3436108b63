"""Parses and validates a workload's YAML files; each problem names the field that it concerns."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from include.workloads.errors import WorkloadProblem


class _Loader(yaml.SafeLoader):
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
            problems.append(WorkloadProblem(file, ".".join([prefix, *location] if prefix else location), text))
        return None, problems
