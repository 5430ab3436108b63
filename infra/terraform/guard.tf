# Refuses a `terraform destroy` of production while it is planned. Buckets that are not empty and protected tables would
# stop it halfway only: by then keys would be scheduled for deletion, and raw would have lost its policy and its lock.
# Whoever means it: `terraform state rm 'terraform_data.production[0]'`, then destroy.
resource "terraform_data" "production" {
  count = local.disposable ? 0 : 1

  lifecycle {
    prevent_destroy = true
  }
}
