"""``make workload`` and ``make validate``: lays out a workload's folder, and checks folders (docs/workload.md)."""
