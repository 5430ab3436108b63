"""The operations that moto and the local cloud's folders implement, as JSON by botocore's name of the service.

Run in a process of its own, because the folders change moto: ``python -m tests.support.moto_operations``.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import moto
from moto.core.responses import BaseResponse
from moto.core.utils import camelcase_to_underscores, get_service_model, method_names_from_class

from infra.localcloud.config import load
from infra.localcloud.identity import RoleIdentity
from infra.localcloud.install import Context, install_all
from infra.localcloud.jobs import Runner
from infra.localcloud.state import StateStore

# moto finds these services' methods by path, or has no response class of the usual form.
ODD = {"batch", "polly", "s3", "xray"}


def _modules() -> Iterator[ModuleType]:
    for package in pkgutil.iter_modules(moto.__path__):
        try:
            yield importlib.import_module(f"moto.{package.name}.responses")
        except ImportError:  # not a service
            continue


def implemented() -> dict[str, list[str]]:
    """The operations of every service of moto, by the methods of its response classes."""
    found: dict[str, set[str]] = {}
    for module in _modules():
        for response in vars(module).values():
            if not (isinstance(response, type) and issubclass(response, BaseResponse)):
                continue
            if response.__module__ != module.__name__ or response is BaseResponse:
                continue
            service = _service_of(response)
            if service is None:
                continue
            methods = set(method_names_from_class(response))
            names = {
                name for name in get_service_model(service).operation_names if camelcase_to_underscores(name) in methods
            }
            found.setdefault(service, set()).update(names)
    return {service: sorted(names) for service, names in sorted(found.items())}


def _service_of(response: type[BaseResponse]) -> str | None:
    try:
        service = response().boto3_service_name
        get_service_model(service)
    except Exception:  # helper classes of moto that are no service of botocore
        return None
    return service


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cloud.yaml"
        file.write_text(f"state: {folder}\nport: 4566\nglue: {{python: {sys.executable}, jars: []}}\nimages: {{}}\n")
        config = load(file)
        identity = RoleIdentity(config)
        install_all(Context(config, identity, Runner(config, identity), StateStore(config)))
    json.dump(implemented(), sys.stdout)
