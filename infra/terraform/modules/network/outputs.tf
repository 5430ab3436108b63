output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "Address range of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "availability_zones" {
  description = "The zones over which the subnets are spread."
  value       = local.zones
}

output "private_subnet_ids" {
  description = "Subnets of MWAA, jobs, services and the load balancer, one a zone."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "database_subnet_ids" {
  description = "Subnets of Aurora and ElastiCache, one a zone; they have no route out of the VPC."
  value       = [for zone in local.zones : aws_subnet.database[zone].id]
}

output "security_group_ids" {
  description = "Security groups: airflow, jobs, service, load_balancer, database, cache, endpoints."
  value       = { for part, group in aws_security_group.this : part => group.id }
}

output "flow_log_group_name" {
  description = "Log group of the VPC's flow logs."
  value       = aws_cloudwatch_log_group.flow.name
}
