"""``make freeze`` and ``make unfreeze``: stop the deploys of a workload until an instant, or let them go on."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

from include.pipelines.deploy.freeze import freeze, parse_until, sentence, unfreeze
from infra.laptop import parts, vitals
from infra.laptop.aws import Aws
from infra.laptop.config import LaptopConfig
from infra.laptop.stages import STATE_TABLE
from infra.laptop.state_log import LaptopState


def command(config: LaptopConfig, workload: str, until: str | None, reason: str) -> str:
    """Freezes the deploys of a workload, or ends a freeze.

    Args:
        config: The laptop stack's settings.
        workload: The workload.
        until: A day, which counts to its end, or an instant; None to end a freeze.
        reason: Why.

    Returns:
        A sentence that says what holds now.

    Raises:
        LaptopError: The local cloud does not run.
        UserError: The end or the reason is not acceptable.
        NothingToDoError: There is no freeze to end.
    """
    end = parse_until(until) if until else None
    vitals.require_running(config, (parts.CLOUD,))
    state, by, present = LaptopState(Aws(config), STATE_TABLE), person(), datetime.now(UTC)
    if end is None:
        unfreeze(state, workload, by, reason, at=present)
        return f"The deploys of {workload} are no longer frozen."
    return f"{workload}: {sentence(freeze(state, workload, end, by, reason, at=present))}"


def person() -> str:
    """The name of the person at this machine; ``unknown`` where it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
