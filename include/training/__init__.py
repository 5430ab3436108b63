"""What runs inside the SageMaker training and processing containers, and the scoring code that the service shares."""
