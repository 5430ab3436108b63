"""SageMaker: training and processing jobs run as processes that see ``/opt/ml``; the model registry is moto's."""

from __future__ import annotations

from moto.sagemaker.models import sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

from ..install import Context, add_actions, replace_backend
from .models import MachineLearning
from .responses import REPLACED


def install(context: Context) -> None:
    """Puts the executing backend into moto."""
    replace_backend(sagemaker_backends, MachineLearning, context)
    add_actions(SageMakerResponse, *REPLACED)
