"""Kinesis: reads the shards of a stream in order."""
