# The registry of the service's image. A tag is never moved, so what was scanned and signed is what runs.
locals {
  repository = yamldecode(templatefile("${var.definitions}/repositories.yaml", var.names)).serving
}

resource "aws_ecr_repository" "serving" {
  name                 = local.repository.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !local.prod

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arns["artifact"]
  }
}

# Which images are kept: infra/definitions/repositories.yaml.
resource "aws_ecr_lifecycle_policy" "serving" {
  repository = aws_ecr_repository.serving.name
  policy     = jsonencode({ rules = local.repository.rules })
}
