"""The laptop stack: starts everything on one machine, runs the daily loop and follows its DAG runs. Never on AWS."""
