"""What the monitor DAG does."""
