"""Expiry of what can be made again from raw, and is needed by nothing any more."""
