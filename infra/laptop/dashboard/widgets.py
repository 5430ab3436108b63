"""The widgets of a dashboard's JSON, and the metrics of each, with CloudWatch's shorthand written out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_DEFAULT_PERIOD, _DEFAULT_STAT = 300, "Average"


@dataclass(frozen=True)
class Metric:
    """A metric of a widget.

    Attributes:
        dimensions: Names and values.
        stat: The statistic that is drawn.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str

    @property
    def label(self) -> str:
        """Its name in the legend."""
        return f"{self.name} {self.stat}" if self.stat.startswith("p") else self.name


@dataclass(frozen=True)
class Chart:
    """A widget of metrics.

    Attributes:
        section: The heading before it.
        period: Seconds of a datapoint.
    """

    section: str
    title: str
    period: int
    metrics: tuple[Metric, ...]


def charts(body: dict[str, Any]) -> Iterator[Chart]:
    """The charts of a dashboard, in order. Text becomes the heading of what follows; other widgets are left out."""
    section = ""
    for widget in body.get("widgets", ()):
        properties = widget.get("properties", {})
        if widget["type"] == "text":
            section = str(properties.get("markdown", "")).lstrip("# ")
        elif widget["type"] == "metric":
            metrics = tuple(written_out(properties["metrics"], properties.get("stat", _DEFAULT_STAT)))
            period = int(properties.get("period", _DEFAULT_PERIOD))
            yield Chart(section, str(properties.get("title", "")), period, metrics)


def written_out(entries: Sequence[Sequence[Any]], stat: str) -> Iterator[Metric]:
    """The metrics of a widget: ``.`` repeats a word of the metric before, ``...`` its remaining words."""
    before: list[str] = []
    for entry in entries:
        words = [word for word in entry if isinstance(word, str)]
        options = next((word for word in entry if isinstance(word, dict)), {})
        if words and words[0] == "...":
            words = [*before[: len(before) - len(words) + 1], *words[1:]]
        before = [before[place] if word == "." else word for place, word in enumerate(words)]
        pairs = tuple(zip(before[2::2], before[3::2], strict=True))
        yield Metric(before[0], before[1], pairs, options.get("stat", stat))
