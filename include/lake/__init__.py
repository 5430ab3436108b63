"""Names and keys in S3, DynamoDB and the catalog, times, fingerprints. Pure functions, no I/O."""
