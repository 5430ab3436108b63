"""Athena queries."""
