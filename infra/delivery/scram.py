"""What PostgreSQL keeps of a password (SCRAM-SHA-256, RFC 5803): enough to verify it, too little to compute it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

ITERATIONS = 4096  # PostgreSQL's own number


def verifier(password: str) -> str:
    """Returns the text that CREATE ROLE … PASSWORD takes in place of a password.

    Args:
        password: Letters and digits only: others would have to be normalised first (SASLprep).
    """
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    parts = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    return "SCRAM-SHA-256${}:{}${}:{}".format(ITERATIONS, *parts)
