"""Which image trains a workload's model: the one for GPUs where the training instance has one."""

from __future__ import annotations

from include.errors import UserError
from include.settings import Settings
from include.workloads import Workload
from include.workloads.instances import has_gpu


def training_image(workload: Workload, settings: Settings) -> str:
    """Returns the image of a workload's training job. Its evaluation always has ``settings.training_image``.

    Raises:
        UserError: The training instance has a GPU, but no image for GPUs is configured.
    """
    declared = workload.jobs.training.instance_type
    instance = declared or settings.training_instance_type
    if not has_gpu(instance):
        return settings.training_image
    if not settings.training_gpu_image:
        # A build does not know the default instance type: infra/delivery/images.py.
        needs = "" if declared else f" (it has one if jobs.training.instance_type of the workload is {instance})"
        raise UserError(
            f"{workload.name} is trained on {instance}, which has a GPU, but NIGHTJAR_TRAINING_GPU_IMAGE is empty. "
            f'Deploy a release with that image{needs}: docs/training.md, "A GPU". Or choose an instance type without a '
            "GPU, like ml.m5.xlarge."
        )
    return settings.training_gpu_image
