"""Relational tables: consistent snapshots of PostgreSQL."""
