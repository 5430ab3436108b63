# The rules of the definition, in the form of PutBucketLifecycleConfiguration, as blocks of the provider.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count  = length(var.definition.lifecycle) > 0 ? 1 : 0
  bucket = aws_s3_bucket.this.id

  dynamic "rule" {
    for_each = var.definition.lifecycle

    content {
      id     = rule.value.ID
      status = rule.value.Status

      filter {
        prefix = rule.value.Filter.Prefix
      }

      dynamic "transition" {
        for_each = lookup(rule.value, "Transitions", [])

        content {
          days          = transition.value.Days
          storage_class = transition.value.StorageClass
        }
      }

      dynamic "expiration" {
        for_each = can(rule.value.Expiration) ? [rule.value.Expiration] : []

        content {
          days = expiration.value.Days
        }
      }

      dynamic "noncurrent_version_expiration" {
        for_each = can(rule.value.NoncurrentVersionExpiration) ? [rule.value.NoncurrentVersionExpiration] : []

        content {
          noncurrent_days = noncurrent_version_expiration.value.NoncurrentDays
        }
      }

      dynamic "abort_incomplete_multipart_upload" {
        for_each = can(rule.value.AbortIncompleteMultipartUpload) ? [rule.value.AbortIncompleteMultipartUpload] : []

        content {
          days_after_initiation = abort_incomplete_multipart_upload.value.DaysAfterInitiation
        }
      }
    }
  }

  # A rule for old versions needs versions.
  depends_on = [aws_s3_bucket_versioning.this]
}
