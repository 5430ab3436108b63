"""Terraform on the laptop: plans and applies ``infra/terraform`` against a local cloud."""

from __future__ import annotations

from infra.laptop.terraform.commands import EXAMPLE_RELEASE, apply, apply_local, plan

__all__ = ["EXAMPLE_RELEASE", "apply", "apply_local", "plan"]
