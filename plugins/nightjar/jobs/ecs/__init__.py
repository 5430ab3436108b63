"""Rollouts of ECS services."""
