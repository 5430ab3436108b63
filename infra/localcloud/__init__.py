"""An AWS endpoint on loopback that executes what it is asked: Spark, SQL, training jobs, services. See README.md."""
