"""ECS service rollouts: submit, sense."""
