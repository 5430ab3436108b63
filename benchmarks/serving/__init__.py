"""``make bench-serving``: the service beside the source's service, no-ops and peers (docs/benchmarks.md)."""
