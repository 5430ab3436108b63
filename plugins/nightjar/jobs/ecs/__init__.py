"""Rollouts of ECS services."""

from nightjar.jobs.ecs.rollout import EcsRollout, RolloutResult
from nightjar.jobs.ecs.service import EcsService
from nightjar.jobs.ecs.submit import SubmitRolloutOperator

__all__ = ["EcsRollout", "EcsService", "RolloutResult", "SubmitRolloutOperator"]
