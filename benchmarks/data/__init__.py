"""Benchmarks of the data path, one module a part (``make bench-data``)."""
