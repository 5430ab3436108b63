"""Where the stamp lies that says which build of the code this is: written when the code is packaged, never committed."""

from __future__ import annotations

from pathlib import Path

BUILD_FILE = Path(__file__).with_name("_build.json")
