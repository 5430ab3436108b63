output "bucket_names" {
  description = "Name of each bucket: raw, lake, artifact, mwaa, logs."
  value       = local.bucket_names
}

output "bucket_arns" {
  description = "ARN of each bucket."
  value       = local.bucket_arns
}

output "stream_arns" {
  description = "ARN of each workload's Kinesis stream."
  value       = { for workload, stream in aws_kinesis_stream.events : workload => stream.arn }
}

output "prediction_stream_names" {
  description = "Name of each workload's Firehose stream."
  value       = { for workload, stream in aws_kinesis_firehose_delivery_stream.predictions : workload => stream.name }
}

output "state_table_name" {
  description = "Name of the state table."
  value       = aws_dynamodb_table.state.name
}

output "workgroup_name" {
  description = "Name of the Athena work group."
  value       = aws_athena_workgroup.this.name
}

output "database_name" {
  description = "Name of the Glue catalog database."
  value       = aws_glue_catalog_database.this.name
}

output "dead_man_function_name" {
  description = "Name of the function of the dead-man check; null until code is deployed."
  value       = one(aws_lambda_function.dead_man[*].function_name)
}

output "file_drop_queue_urls" {
  description = "URL of each workload's queue of dropped files."
  value       = { for workload, queue in aws_sqs_queue.drop : workload => queue.url }
}

output "file_drop_dead_letter_queue_names" {
  description = "Name of each workload's queue of files that could not be ingested."
  value       = { for workload, queue in aws_sqs_queue.dead_drop : workload => queue.name }
}
