# What is not allowed is blocked: rules one to five refuse, the last one allows the public routes, and the default is 404.
locals {
  # Managed by AWS. A rule named here only counts: SizeRestrictions_BODY refuses bodies above 8 KB, and a batch is larger.
  managed_groups = {
    AWSManagedRulesAmazonIpReputationList = { priority = 1, count = [] }
    AWSManagedRulesKnownBadInputsRuleSet  = { priority = 2, count = [] }
    AWSManagedRulesCommonRuleSet          = { priority = 3, count = ["SizeRestrictions_BODY"] }
  }
  zeros = length(regex("^10*$", local.max_body_bytes)) - 1
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:AWSManagedRulesKnownBadInputsRuleSet, which has the Log4j rules, is one of managed_groups
  provider    = aws.edge
  name        = local.name
  description = "The public routes of the services"
  scope       = "CLOUDFRONT"

  default_action {
    block {
      custom_response {
        response_code = 404
      }
    }
  }

  rule {
    name     = "rate-limit"
    priority = 0

    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_5_minutes
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate-limit"
      sampled_requests_enabled   = false # samples would show headers, and with them API keys
    }
  }

  dynamic "rule" {
    for_each = local.managed_groups

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.count

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = false
      }
    }
  }

  # WAF compares texts, not numbers: a length of as many digits as the limit has is above it, unless it is the limit.
  # A body without a length reaches the service, which counts while it reads.
  rule {
    name     = "body-size"
    priority = 4

    action {
      block {
        custom_response {
          response_code = 413
        }
      }
    }

    statement {
      and_statement {
        statement {
          regex_match_statement {
            regex_string = "^[1-9][0-9]{${local.zeros},}$"

            field_to_match {
              single_header {
                name = "content-length"
              }
            }
            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }
        statement {
          not_statement {
            statement {
              byte_match_statement {
                positional_constraint = "EXACTLY"
                search_string         = local.max_body_bytes

                field_to_match {
                  single_header {
                    name = "content-length"
                  }
                }
                text_transformation {
                  priority = 0
                  type     = "NONE"
                }
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "body-size"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "public-routes"
    priority = 5

    action {
      allow {}
    }

    statement {
      or_statement {
        dynamic "statement" {
          for_each = local.public_routes

          content {
            byte_match_statement {
              positional_constraint = "EXACTLY"
              search_string         = statement.value

              field_to_match {
                uri_path {}
              }
              text_transformation {
                priority = 0
                type     = "NONE"
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "public-routes"
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.name
    sampled_requests_enabled   = false
  }
}
