"""Rollouts of ECS services, and trials of one on a share of the requests."""

from nightjar.jobs.ecs.group import Trial, rollout_sensor, submit_and_sense_rollout, trial_tasks
from nightjar.jobs.ecs.rollout import EcsRollout, RolloutResult
from nightjar.jobs.ecs.service import EcsService
from nightjar.jobs.ecs.submit import SubmitRolloutOperator

__all__ = [
    "EcsRollout",
    "EcsService",
    "RolloutResult",
    "SubmitRolloutOperator",
    "Trial",
    "rollout_sensor",
    "submit_and_sense_rollout",
    "trial_tasks",
]
