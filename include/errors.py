"""The exceptions of the project. Each text states what happened and what to do next.

NightjarError
├── SettingsError            a setting is missing or wrong            (include.settings)
├── WorkloadError            a workload folder cannot be used         (include.workloads.errors)
├── FeatureCodeError         a features.py cannot be used             (include.workloads.feature_code)
├── EmptySplitError          a split of a data set has no rows        (include.lake.manifest)
├── GlueJobError             a Glue job cannot do its work            (include.glue.errors)
├── UserError                a person asked for something impossible  (a wrong Param): fails at once, no retry
├── NothingToDoError         there is no work: the task is skipped
├── RefusedError             a gate or a rule refused: fails at once, no retry
│   ├── UnfitDatasetError    the data set is not fit for training     (include.pipelines.retrain.prepare)
│   └── DeployRefusedError   a rule refuses the deploy                (include.pipelines.deploy.choose)
├── ConflictError            somebody else changes the same thing: try again later
└── VerificationError        the service does not serve the version   (include.pipelines.deploy.verify)

Packages add subclasses where a caller distinguishes them. DAGs turn the classes into Airflow's exceptions
(``nightjar.outcomes``); nothing here imports Airflow.
"""

from __future__ import annotations


class NightjarError(Exception):
    """Base of every exception that the project raises on purpose."""


class UserError(NightjarError, ValueError):
    """A person asked for something impossible: a retry would fail in the same way."""


class NothingToDoError(NightjarError):
    """There is no work, for the reason in the text; the task is skipped."""


class RefusedError(NightjarError):
    """A gate or a rule refused; the text names it and what a person can do."""


class ConflictError(NightjarError):
    """Somebody else is changing the same thing; a later retry can succeed."""
