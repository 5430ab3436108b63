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

output "tracking_server_arn" {
  description = "ARN of the managed MLflow server, to which training and evaluation jobs write; empty where there is none."
  value       = one(concat(aws_sagemaker_mlflow_tracking_server.this[*].arn, var.tracking_server_role_arn == null ? [""] : []))
}
