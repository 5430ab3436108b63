"""SageMaker training and processing jobs: submit, sense; and the model registry."""
