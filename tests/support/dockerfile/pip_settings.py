"""pip's settings of this machine, for a root that does not have its configuration files."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.support.dockerfile.sandbox import Bind

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def of_this_machine() -> tuple[dict[str, str], list[Bind]]:
    """Environment variables of pip, and the files and folders that they name."""
    variables = {**_configured(), **{name: os.environ[name] for name in _PROXIES if name in os.environ}}
    words = [word.removeprefix("file://") for value in variables.values() for word in value.split()]
    # A folder …/simple lies beside the files that it links to.
    paths = [Path(word).parent if word.endswith("/simple") else Path(word) for word in words if word.startswith("/")]
    return variables, [Bind(path, str(path)) for path in dict.fromkeys(paths) if path.exists()]


@cache
def _configured() -> dict[str, str]:
    """``pip config list`` has ``global.find-links='…'`` and, from the environment, ``:env:.find-links='…'``."""
    python = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    listed = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    variables = {}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        variables["PIP_" + name.rpartition(".")[2].upper().replace("-", "_")] = str(ast.literal_eval(value))
    return variables
