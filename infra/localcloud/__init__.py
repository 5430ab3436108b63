"""An AWS endpoint on loopback that executes requests: Spark jobs, SQL, training jobs, services. See README.md."""
