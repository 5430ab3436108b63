"""SageMaker training and processing jobs, and the model registry."""
