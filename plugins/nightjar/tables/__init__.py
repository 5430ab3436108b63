"""Relational tables (PostgreSQL snapshots) and the Glue catalog's tables."""
