"""SageMaker: jobs are processes with a folder for ``/opt/ml``, a tuning job has several; the registry is moto's."""

from __future__ import annotations

from moto.sagemaker.models import sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from infra.localcloud.install import Context, add_actions, replace_backend
from infra.localcloud.sagemaker import models_and_endpoints, package_groups, tuning_actions
from infra.localcloud.sagemaker.models import SageMakerBackend
from infra.localcloud.sagemaker.responses import ACTIONS


def install(context: Context) -> None:
    """Puts the executing backend and its actions into moto."""
    replace_backend(sagemaker_backends, SageMakerBackend, context)
    add_actions(SageMakerResponse, *ACTIONS, *package_groups.ACTIONS, *models_and_endpoints.ACTIONS)
    add_actions(SageMakerResponse, *tuning_actions.ACTIONS)
