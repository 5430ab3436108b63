"""Signatures, IAM policies and the doors of the endpoint: who may do what.

``middleware.py`` is what the server installs. Signatures are checked in ``signatures.py``; ``requests.py`` says what a
request is in IAM's terms (actions, resources, condition keys); ``evaluation.py`` decides; ``denials.py`` answers.
"""
