"""Delivers a release to AWS, and promotes models.

The workflows in ``.github/workflows/`` call these commands, and nothing longer than one command. They run on any
machine: ``python -m infra.delivery.<module> --help``.
"""
