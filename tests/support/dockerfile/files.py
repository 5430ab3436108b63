"""The Dockerfiles of this repository, and what a build tells them."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCKERFILES = {"serving": ROOT / "serving/Dockerfile", "training": ROOT / "include/training/Dockerfile"}
LABELS = {"REVISION": "a" * 40, "SOURCE": "https://example.com/nightjar", "VERSION": "1.2.3"}
