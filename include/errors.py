"""The exceptions of the project. Each says what happened and what to do next.

NightjarError
├── SettingsError            a setting is missing or wrong            (include.settings)
├── WorkloadError            a workload folder cannot be used         (include.workloads.errors)
├── UserError                a person asked for something impossible  (a wrong Param): fails at once, no retry
├── NothingToDoError         there is no work: the task is skipped
├── RefusedError             a gate or a rule refused: fails at once, no retry
└── ConflictError            somebody else changes the same thing: try again later

Packages add subclasses where a caller tells them apart. DAGs turn the classes into Airflow's exceptions
(``nightjar.outcomes``); nothing here knows Airflow.
"""

from __future__ import annotations


class NightjarError(Exception):
    """Base of every exception that the project raises on purpose."""


class UserError(NightjarError, ValueError):
    """A person asked for something that cannot be: a retry would fail the same way."""


class NothingToDoError(NightjarError):
    """There is no work. The text says why; the task that met it is skipped."""


class RefusedError(NightjarError):
    """A gate or a rule refused. The text says which and what a person can do."""


class ConflictError(NightjarError):
    """Somebody else is changing the same thing. Trying again later helps."""
