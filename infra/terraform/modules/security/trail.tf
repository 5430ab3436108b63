# Who did what: management events of all regions, and each access to objects of raw and to models.
locals {
  trail_name  = "nightjar"
  audited     = var.switches.trail || var.switches.config
  bucket_name = "nightjar-audit-${var.names.account}"

  recorded_objects = ["arn:aws:s3:::${var.names.raw}/", "arn:aws:s3:::${var.names.artifact}/jobs/"]
}

module "audit_bucket" {
  source = "../bucket"
  count  = local.audited ? 1 : 0

  definition = {
    name   = local.bucket_name
    key    = "logs"
    policy = "audit"
    lifecycle = [
      {
        ID          = "colder"
        Status      = "Enabled"
        Filter      = { Prefix = "" }
        Transitions = [{ Days = 90, StorageClass = "GLACIER_IR" }]
        Expiration  = { Days = 730 }

        AbortIncompleteMultipartUpload = { DaysAfterInitiation = 7 }
      },
    ]
  }
  key_arn          = aws_kms_key.this["logs"].arn
  policies         = var.policies
  policy_variables = merge(var.names, { trail = local.trail_name })
  force_destroy    = var.force_destroy
}

resource "aws_cloudtrail" "this" {
  count                         = var.switches.trail ? 1 : 0
  name                          = local.trail_name
  s3_bucket_name                = module.audit_bucket[0].name
  kms_key_id                    = aws_kms_key.this["logs"].arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true

  advanced_event_selector {
    name = "management"

    field_selector {
      field  = "eventCategory"
      equals = ["Management"]
    }
  }

  advanced_event_selector {
    name = "raw objects and models"

    field_selector {
      field  = "eventCategory"
      equals = ["Data"]
    }
    field_selector {
      field  = "resources.type"
      equals = ["AWS::S3::Object"]
    }
    field_selector {
      field       = "resources.ARN"
      starts_with = local.recorded_objects
    }
  }
}
