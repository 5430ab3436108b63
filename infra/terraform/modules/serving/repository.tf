# The registry of the service's image. A tag is never moved, so what was scanned and signed is what runs.
resource "aws_ecr_repository" "serving" {
  name                 = "nightjar/serving"
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

# A rollback needs the image of the version before; 50 images are months of releases.
resource "aws_ecr_lifecycle_policy" "serving" {
  repository = aws_ecr_repository.serving.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "images without a tag: left over from builds"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "keep the newest 50"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 50 }
        action       = { type = "expire" }
      },
    ]
  })
}
