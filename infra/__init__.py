"""Where the platform runs: Terraform for AWS, the local cloud and the laptop runner."""
