"""The path of the build stamp, which names the build of this code. Packaging writes the file; it is never committed."""

from __future__ import annotations

from pathlib import Path

BUILD_FILE = Path(__file__).with_name("_build.json")
