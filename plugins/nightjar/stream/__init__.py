"""Kinesis records into raw objects: decoding, batches, the commit rule, and the order of shards."""
