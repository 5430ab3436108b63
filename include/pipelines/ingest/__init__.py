"""Ingest pipelines: stream records and table rows into raw objects, with checkpoints and watermarks."""
