"""The part of AWS Glue's library that generated scripts use, on plain Spark. The local cloud adds it to PYTHONPATH.

A DynamicFrame here is a Spark DataFrame, so a column has one type: there are no choice types. What is missing raises
an error that names it and what to use instead.
"""

from __future__ import annotations

from .dynamicframe import DynamicFrame

__all__ = ["DynamicFrame"]
