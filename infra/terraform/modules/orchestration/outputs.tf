output "environment_name" {
  description = "Name of the MWAA environment."
  value       = aws_mwaa_environment.this.name
}

output "environment_arn" {
  description = "ARN of the MWAA environment."
  value       = aws_mwaa_environment.this.arn
}

output "webserver_url" {
  description = "URL of the Airflow UI."
  value       = "https://${aws_mwaa_environment.this.webserver_url}"
}

output "startup_script" {
  description = "Content of the startup script."
  value       = local.startup
}
