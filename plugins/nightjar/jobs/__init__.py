"""Remote jobs: submit once, then sense. One package per AWS service, plus the shared base classes."""
