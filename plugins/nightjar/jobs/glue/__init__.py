"""Glue job runs."""
