"""Athena queries: submit, sense, read results."""
