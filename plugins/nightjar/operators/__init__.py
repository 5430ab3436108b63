"""Operators: each takes plain values from a DAG."""
