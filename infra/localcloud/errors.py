"""The exceptions of the local cloud. They have their own tree: the package imports nothing of the project.

LocalCloudError
├── ConfigError                    the configuration is wrong: the server does not start
├── AssumeRoleError                a role does not exist, or does not trust the service that needs it
├── AccessDeniedError              a role's policies do not allow what a service does for it
├── UnknownImageError              a job names an image that the configuration does not map
└── errors of one service          athena/errors.py, …

Errors that an AWS client receives are moto's exceptions, or what ``responses.py`` of a service makes of these.
"""

from __future__ import annotations

# Why a job ended whose process ended with the server: its FailureReason, ErrorMessage or stoppedReason.
SERVER_ENDED = "The local cloud ended while this job ran; start it again."


class LocalCloudError(Exception):
    """Base of every exception that the local cloud raises on purpose."""


class ConfigError(LocalCloudError, ValueError):
    """The configuration file or a field in it is wrong. The text names both and the expected value."""


class AssumeRoleError(LocalCloudError):
    """A role does not exist, or its trust policy does not allow the service that needs it."""


class AccessDeniedError(LocalCloudError):
    """A role's policies do not allow what a service does for it. The text is AWS's, and names the action."""


class UnknownImageError(LocalCloudError, LookupError):
    """A job names an image that the configuration does not map to an interpreter."""
