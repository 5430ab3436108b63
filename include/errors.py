"""The exceptions of the project. Each text states what happened and what to do next.

NightjarError
├── SettingsError            a setting is missing or wrong            (include.settings)
├── WorkloadError            a workload folder cannot be used         (include.workloads.errors)
├── FeatureCodeError         a features.py cannot be used             (include.workloads.feature_code)
├── EmptySplitError          a split of a data set has no rows        (include.lake.manifest)
├── UndecodableError         a record's bytes are not an event        (include.pipelines.ingest.decode)
├── GlueJobError             a Glue job cannot do its work            (include.glue.errors)
├── JobError                 a training or evaluation job cannot      (include.training.container)
├── BundleError              a bundle is damaged or incomplete        (include.model.errors)
├── ScoreError               a record cannot be scored                (include.model.errors)
├── MetadataError            SageMaker does not take the metadata     (include.pipelines.promotion.packages)
├── UserError                a person asked for something impossible  (a wrong Param)
├── NothingToDoError         there is no work
├── RefusedError             a gate or a rule refused
│   ├── RefusedDayError      the gate refused the day                 (include.pipelines.process.days)
│   ├── UnfitDatasetError    the data set is not fit for training     (include.pipelines.retrain.prepare)
│   ├── DeployRefusedError   a rule refuses the deploy                (include.pipelines.deploy.choose)
│   └── SupersededError      a newer deploy run has begun             (include.pipelines.deploy.resolve)
├── LiveStateError           the record of what is live is lost       (include.pipelines.deploy.live_log)
├── UnverifiedServiceError   the service runs something unverified    (include.pipelines.deploy.resolve)
├── ConflictError            somebody else changes the same thing
└── VerificationError        the service does not serve the version   (include.pipelines.deploy.faults)
    └── VersionFaultError    the version is at fault                  (include.pipelines.deploy.faults)

Packages add subclasses where a caller distinguishes them. DAGs turn the classes into Airflow's exceptions
(``nightjar.outcomes``): in a task, NothingToDoError skips it, and UserError and RefusedError fail it without a retry.
ConflictError does so too where a retry would compare with the same stale value. In a template, Airflow retries every
exception. Nothing here imports Airflow.
"""

from __future__ import annotations


class NightjarError(Exception):
    """Base of the exceptions of include, serving, infra/laptop and benchmarks.

    The plugins and the local cloud cannot import it: they import nothing of include.
    """


class UserError(NightjarError, ValueError):
    """A person asked for something impossible: a retry would fail in the same way."""


class NothingToDoError(NightjarError):
    """There is no work, for the reason in the text; the task is skipped."""


class RefusedError(NightjarError):
    """A gate or a rule refused; the text names it and what a person can do."""


class ConflictError(NightjarError):
    """Somebody else changes, or has changed, the same thing; the text states what to do about it."""
