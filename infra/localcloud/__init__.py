"""An AWS endpoint on loopback that really executes what it is asked: Spark, SQL, training, services. See README.md."""
