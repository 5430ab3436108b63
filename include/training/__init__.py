"""Entry points of the SageMaker training and evaluation jobs, and what only they use."""
