# The bucket of logs comes first, because the others write their access logs to it. Access logs of S3 and of load
# balancers are delivered only to a bucket whose default encryption is SSE-S3, so it has no KMS key.
module "logs" {
  source           = "../bucket"
  definition       = local.buckets.logs
  policies         = var.policies
  policy_variables = var.names
  force_destroy    = var.disposable
}

module "bucket" {
  source           = "../bucket"
  for_each         = { for name, bucket in local.buckets : name => bucket if name != "logs" }
  definition       = each.value
  key_arn          = var.key_arns[each.value.key]
  policies         = var.policies
  policy_variables = var.names
  log_bucket       = local.buckets.logs.name # a plan knows it before the bucket exists
  object_lock      = var.object_lock
  force_destroy    = var.disposable

  depends_on = [module.logs]
}

locals {
  bucket_names = merge({ for name, bucket in module.bucket : name => bucket.name }, { logs = module.logs.name })
  bucket_arns  = merge({ for name, bucket in module.bucket : name => bucket.arn }, { logs = module.logs.arn })
}
