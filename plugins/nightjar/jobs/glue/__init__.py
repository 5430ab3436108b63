"""Glue job runs: submit, sense."""
