# One S3 bucket: private, versioned, encrypted, TLS only.
locals {
  name = var.definition.name
}

resource "aws_s3_bucket" "this" {
  bucket        = local.name
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # A bucket key saves a request to KMS for each object. Without a KMS key there is nothing to save.
    bucket_key_enabled = var.key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true

  # S3 refuses two changes of a bucket's access at a time (OperationAborted), so they are made one after another.
  depends_on = [aws_s3_bucket_ownership_controls.this]
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = templatefile(
    "${var.policies}/buckets/${var.definition.policy}.json", merge(var.policy_variables, { bucket = local.name })
  )

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# Object Lock is set here and not by object_lock_enabled of the bucket: that argument would replace a bucket that exists.
resource "aws_s3_bucket_object_lock_configuration" "this" {
  count  = var.object_lock && lookup(var.definition, "object_lock_days", null) != null ? 1 : 0
  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.definition.object_lock_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_logging" "this" {
  count         = var.log_bucket == null ? 0 : 1
  bucket        = aws_s3_bucket.this.id
  target_bucket = var.log_bucket
  target_prefix = "s3/${local.name}/"
}

resource "aws_s3_bucket_notification" "this" {
  count       = lookup(var.definition, "events", false) ? 1 : 0
  bucket      = aws_s3_bucket.this.id
  eventbridge = true
}
