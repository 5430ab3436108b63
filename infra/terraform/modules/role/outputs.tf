output "name" {
  description = "Name of the role."
  value       = aws_iam_role.this.name
}

output "arn" {
  description = "ARN of the role, known when its permissions are in force."
  value       = aws_iam_role.this.arn
  depends_on  = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.this]
}

output "policy_arns" {
  description = "The role's managed policies by subject."
  value       = { for subject, policy in aws_iam_policy.this : subject => policy.arn }
}
