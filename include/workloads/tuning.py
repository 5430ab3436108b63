"""The ``model.tuning`` block: which hyperparameters may be tuned, within which ranges, and at what cost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from include.workloads.fields import Name
from include.workloads.library_names import has_whole_values, model_problems
from include.workloads.strict import StrictModel

MAX_TRIALS = 100
# The tuned values of a version are one text of its metadata, of which SageMaker keeps 256 characters.
_TEXT_CHARACTERS = 256
_NUMBER_CHARACTERS = 23  # of the longest float, with its sign and exponent


# A text that SageMaker's metadata takes, and that no JSON number, boolean or null is.
_WORD = re.compile(r"(?!(?:true|false|null|NaN|Infinity)$)[A-Za-z][A-Za-z0-9_.-]*")


class RangeSpec(StrictModel):
    """The values of one hyperparameter: a range of numbers with both ends, or a list."""

    min: int | float | None = None
    max: int | float | None = None
    scale: Literal["linear", "log", "reverse_log"] = Field(
        "linear", description="log: as many trials from 0.01 to 0.1 as from 0.1 to 1; reverse_log: the same below 1"
    )
    values: tuple[bool | int | float | str, ...] = Field((), max_length=30, description="in place of min and max")

    @model_validator(mode="after")
    def _is_one_kind(self) -> RangeSpec:
        if self.values:
            if (self.min, self.max, self.scale) != (None, None, "linear"):
                raise ValueError("has values, so it has no min, max or scale")
            if wrong := [text for text in self.values if isinstance(text, str) and not _WORD.fullmatch(text)]:
                raise ValueError(f"value {wrong[0]!r} must be a word of letters, digits, dots, dashes and underscores")
        elif self.min is None or self.max is None:
            raise ValueError("needs min and max, or values")
        elif self.min >= self.max:
            raise ValueError(f"min {self.min} must be below max {self.max}")
        elif self.scale == "log" and self.min <= 0:
            raise ValueError("scale log needs a min above 0")
        elif self.scale == "reverse_log" and not (self.min >= 0 and self.max < 1):
            raise ValueError("scale reverse_log needs 0 <= min and max < 1")
        return self

    def ends(self) -> tuple[Any, ...]:
        """The values that bound it: all of a list, or min and max."""
        return self.values or (self.min, self.max)


class TuningSpec(StrictModel):
    """Tuning of the hyperparameters by SageMaker: off, unless ``trials`` or a run's Param ``tune`` asks for it."""

    ranges: dict[Name, RangeSpec] = Field(min_length=1, max_length=20)
    trials: int = Field(
        0, ge=0, le=MAX_TRIALS, description="trials of every retrain run; 0: only where its Param tune asks for some"
    )
    parallel: int = Field(2, ge=1, le=10, description="trials at the same time")
    trial_seconds: int | None = Field(
        None, ge=60, le=432_000, description="time limit of a trial; default: model.max_runtime_seconds"
    )
    max_runtime_seconds: int = Field(14_400, ge=120, le=432_000, description="time limit of all trials together")
    seed: int | None = Field(None, ge=0, description="seed of the trials; default: model.seed")
    budget_usd: float = Field(gt=0, description="what all trials may cost at most, each at its time limit")
    objective: Literal["validation auc"] = Field("validation auc", description="the test set takes no part")


def tuning_problems(kind: str, tuning: TuningSpec) -> Iterator[tuple[str, str]]:
    """Yields the field below ``model`` and a text for each range that the model kind does not take."""
    for name, spec in tuning.ranges.items():
        for value in spec.ends():
            problem = next((text for field, text in model_problems(kind, {name: value}) if field != "kind"), None)
            if problem:
                yield f"tuning.ranges.{name}", problem
                break
    longest = sum(len(f"{name}= ") + _characters(spec) for name, spec in tuning.ranges.items())
    if longest > _TEXT_CHARACTERS:
        yield "tuning.ranges", f"the tuned values may need {longest} characters; {_TEXT_CHARACTERS} can be kept"


def is_whole(kind: str, name: str, spec: RangeSpec) -> bool:
    """Whether a range of numbers is one of integers: the hyperparameter takes them, and both ends are some."""
    return has_whole_values(kind, name) and isinstance(spec.min, int) and isinstance(spec.max, int)


def hyperparameter_texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Hyperparameters as SageMaker takes them, texts. The training container reads them as JSON."""
    return {name: json.dumps(value) for name, value in values.items()}


def tuned_text(values: Mapping[str, Any]) -> str:
    """Hyperparameters as one text of a version's metadata: ``learning_rate=0.08 max_iter=250``.

    SageMaker takes neither quotes nor braces there.
    """
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return " ".join(f"{name}={text}" for name, text in sorted(texts.items()))


def read_tuned(text: str) -> dict[str, Any]:
    """The hyperparameters in a text of :func:`tuned_text`."""
    pairs = (pair.split("=", 1) for pair in text.split())
    return {name: value if _WORD.fullmatch(value) else json.loads(value) for name, value in pairs}


def _characters(spec: RangeSpec) -> int:
    return max(len(json.dumps(value)) for value in spec.values) if spec.values else _NUMBER_CHARACTERS
