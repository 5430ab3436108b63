"""A retrain run: plan the data set, check it, request the jobs, register the result."""
