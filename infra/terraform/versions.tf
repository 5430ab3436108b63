terraform {
  # 1.10 brought the lock file of the S3 backend; mocked providers and what the tests use are in 1.11.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Written for what 5.100 and 6.x both accept (docs/adr/0024).
      version = ">= 5.100, < 7"
    }
  }

  # The rest of the configuration is in environments/<environment>.s3.tfbackend; the bucket's name has the account in it
  # and is given to `terraform init` (bootstrap/README.md).
  backend "s3" {
    use_lockfile = true
  }
}
