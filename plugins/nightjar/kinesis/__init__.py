"""Reads shards of a Kinesis stream in order."""
