# A local cloud (infra/localcloud). It switches off what the local cloud refuses by name; nothing else.
environment = "local"
account_id  = "123456789012"

# Those of the laptop.
bucket_names = {
  raw      = "nightjar-raw"
  lake     = "nightjar-lake"
  artifact = "nightjar-artifact"
  mwaa     = "nightjar-mwaa"
  logs     = "nightjar-logs"
}

github_repository = "example/nightjar"

switches = {
  mwaa        = false
  rotation    = false # CloudFormation, which the published rotation function comes with
  public_edge = false # without DNS there is no host name; ENV=dev plans and applies it
}

sizes = {
  kinesis_mode = "PROVISIONED"
}
