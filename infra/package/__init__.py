"""Packs the code: the build stamp, the archives, and the release that goes to AWS. Imports no other part of infra."""
