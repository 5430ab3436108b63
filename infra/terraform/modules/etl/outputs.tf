output "job_names" {
  description = "Names of the Glue jobs; none until code is deployed."
  value       = keys(aws_glue_job.this)
}
