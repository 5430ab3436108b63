"""Feature code: a workload's ``features.py``, executed. Glue, training and the service all load it here.

The source is executed, not imported: a Spark executor, a zip archive and a bundle have no folder to import from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, Literal, NamedTuple, get_args

from include.errors import NightjarError
from include.workloads.fields import LARGEST_NUMBER

FeatureKind = Literal["number", "category"]
_LONGEST_REASON = 200
FeatureFunction = Callable[[Mapping[str, Any]], Mapping[str, float | str | None]]


class FeatureCodeError(NightjarError, ValueError):
    """Feature code that cannot be used.

    Attributes:
        problems: For each problem the name in ``features.py`` that it concerns ("" for the whole file) and a text.
    """

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{name}: {text}" if name else text for name, text in self.problems))

    def __reduce__(self) -> tuple[type[FeatureCodeError], tuple[tuple[tuple[str, str], ...]]]:
        return type(self), (self.problems,)


class FeatureCode(NamedTuple):
    """What ``features.py`` defines.

    Attributes:
        features: Computes the value of each feature from one request record.
        kinds: ``FEATURES``: the kind of each feature, in the order of the model's columns.
    """

    features: FeatureFunction
    kinds: dict[str, FeatureKind]


def load_feature_code(source: str | bytes, filename: str = "features.py") -> FeatureCode:
    """Executes the text of a ``features.py``. Each call gives a function of its own, with globals of its own.

    Args:
        source: The text. It is executed, so the caller must trust it.
        filename: The name shown in tracebacks.

    Raises:
        FeatureCodeError: The text is not Python, fails, or lacks a correct ``features`` or ``FEATURES``.
    """
    module = ModuleType("nightjar_features")
    module.__file__ = filename
    try:
        code = compile(source, filename, "exec")
    except (SyntaxError, ValueError) as error:
        raise FeatureCodeError([("", f"is not Python: {error}")]) from error
    try:
        exec(code, module.__dict__)
    except (Exception, SystemExit) as error:
        raise FeatureCodeError([("", f"cannot be executed: {type(error).__name__}: {error}")]) from error
    function: Any = getattr(module, "features", None)
    kinds: Any = getattr(module, "FEATURES", None)
    if problems := [*_function_problems(function), *_kind_problems(kinds)]:
        raise FeatureCodeError(problems)
    return FeatureCode(function, dict(kinds))


def _function_problems(function: Any) -> Iterator[tuple[str, str]]:
    if not callable(function):
        yield "features", "must be a function of one record"


def _kind_problems(kinds: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(kinds, dict) or not kinds:
        yield "FEATURES", "must be a dict of feature names to their kinds"
        return
    for name, kind in kinds.items():
        if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
            yield f"FEATURES.{name}", "must be a lower-case name"
        if kind not in get_args(FeatureKind):
            yield f"FEATURES.{name}", f"must be one of {', '.join(get_args(FeatureKind))}, not {kind!r}"


def compute_row(code: FeatureCode, record: Mapping[str, Any]) -> tuple[Mapping[str, float | str | None], str | None]:
    """Computes the features of one request record.

    Returns:
        The features and None, or no features and the reason.
    """
    try:
        values = code.features(record)
    except Exception as error:
        return {}, f"features: {type(error).__name__}: {error}"[:_LONGEST_REASON]
    if not isinstance(values, Mapping) or values.keys() != code.kinds.keys():
        return {}, "features: did not return exactly the names in FEATURES"
    clean: dict[str, Any] = {}
    for name, value in values.items():
        kind = code.kinds[name]
        if type(value) is float and kind == "number" and -LARGEST_NUMBER < value < LARGEST_NUMBER:  # most are
            clean[name] = value
        elif problem := _problem(value, kind):
            return {}, f"features: {name}: {problem}"
        else:
            clean[name] = float(value) if isinstance(value, int) else value
    return clean, None


def _problem(value: Any, kind: FeatureKind) -> str | None:
    if value is None:
        return None
    if kind == "category":
        return None if isinstance(value, str) else "is not a string"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "is not a number"
    if not math.isfinite(value) or abs(value) >= LARGEST_NUMBER:
        return f"is not a finite number below {LARGEST_NUMBER:g}"
    return None
