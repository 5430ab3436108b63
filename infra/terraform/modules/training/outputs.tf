output "model_group_names" {
  description = "Name of each workload's model package group."
  value       = { for workload, group in aws_sagemaker_model_package_group.this : workload => group.model_package_group_name }
}

output "training_repository_url" {
  description = "URL of the ECR repository of the training image."
  value       = aws_ecr_repository.training.repository_url
}

output "failed_jobs_rule_name" {
  description = "Name of the EventBridge rule that failed jobs match."
  value       = aws_cloudwatch_event_rule.failed.name
}
