locals {
  account = coalesce(var.account_id, data.aws_caller_identity.current.account_id)

  # Resources of a workload have the tag `workload` as well.
  tags = {
    project     = "nightjar"
    environment = var.environment
    cost_center = var.cost_center
  }

  # Whether destroy may delete what buckets and databases contain.
  disposable = var.environment != "prod"

  # Data files that the laptop's bootstrap reads, too.
  definitions     = "${path.root}/../definitions"
  policies        = "${path.root}/../policies"
  workload_folder = "${path.root}/../../include/workloads"

  # A workload is a folder with a workload.yaml; its name is the folder's.
  workloads = {
    for file in fileset(local.workload_folder, "*/workload.yaml") :
    dirname(file) => yamldecode(file("${local.workload_folder}/${file}"))
  }

  # An alarm or a message names its page: in the repository on GitHub if it is known, else by its path in the repository.
  runbooks = var.github_repository == null ? "docs/runbooks" : "https://github.com/${var.github_repository}/blob/main/docs/runbooks"

  bucket_names = merge(
    { for bucket in ["raw", "lake", "artifact", "mwaa", "logs"] : bucket => "nightjar-${bucket}-${local.account}" },
    var.bucket_names,
  )

  # What definitions and policies may have as placeholders; modules add what only they know (workload, code, key_<name>).
  names = merge({ account = local.account, region = var.region }, local.bucket_names)
}
