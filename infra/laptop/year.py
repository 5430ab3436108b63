"""``make year``: the longest row of nights that the recorded history has, or a part of it."""

from __future__ import annotations

from datetime import date, timedelta

from include.workloads import discover
from infra.laptop import bounds
from infra.laptop.config import LaptopConfig, LaptopError
from infra.laptop.history_source import HistorySource, has_history


def whole_row(config: LaptopConfig, only: str | None, first: date | None, to: date | None) -> tuple[LaptopConfig, date]:
    """Returns the settings with the first night, and the last night.

    Args:
        config: The stack's settings.
        only: The only workload; None: all that have a history.
        first: The first night; None: the earliest one that has its history before it, or the run folder's own.
        to: The last night; None: the last day of the history.

    Raises:
        LaptopError: There is no history, or the run folder's nights began on another day.
    """
    names = [
        workload.name for workload in discover()[0] if only in (None, workload.name) and has_history(workload.name)
    ]
    if not names:
        raise LaptopError("There is no workload with a history to replay. Add one: docs/workload.md.")
    sources = [HistorySource.open(name, config.data) for name in names]
    begun = {found.first for name in names if (found := bounds.read(config, name))}
    if first and begun and begun != {first}:
        raise LaptopError(
            f"The nights of {config.state} began on {', '.join(map(str, sorted(begun)))}, not on {first}. Leave out "
            "FROM to go on with them, or run `make clean` first."
        )
    earliest = max(source.first for source in sources) + timedelta(days=config.history_days - 1)
    night = first or min(begun, default=earliest)
    return config.model_copy(update={"night": night}), to or min(source.last for source in sources)
