"""Runs of Glue jobs."""

from nightjar.jobs.glue.listing import GlueRuns
from nightjar.jobs.glue.run import GlueRun, GlueRunResult
from nightjar.jobs.glue.submit import SubmitGlueJobOperator

__all__ = ["GlueRun", "GlueRunResult", "GlueRuns", "SubmitGlueJobOperator"]
