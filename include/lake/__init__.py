"""How things are named and laid out in S3, DynamoDB and the catalog. Pure functions, no I/O."""
