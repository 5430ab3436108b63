"""The peers, each in an environment of its own in ``$NIGHTJAR_HOME/venvs``. Measured only with ``PEERS=1``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.contestants import APPS, Contestant
from benchmarks.serving.forest import Forest
from benchmarks.serving.inputs import Form
from infra.laptop.free_ports import free_port

PINS = Path(__file__).with_name("peers")
INSTALL_SECONDS = 900
_ERROR_TAIL = 400


@dataclass(frozen=True)
class Absent:
    """A peer that could not be measured, and the reason."""

    name: str
    reason: str


def available(home: Path, model: Forest, folder: Path) -> tuple[list[Contestant], list[Absent]]:
    """Installs and sets up the peers. Returns those that can be measured, and the others with the reason."""
    present: list[Contestant] = []
    absent: list[Absent] = []
    for name, make in PEERS.items():
        try:
            bin_folder = install(home, name)
            present.append(make(bin_folder, model, folder))
        except (subprocess.SubprocessError, OSError) as error:
            output = getattr(error, "stderr", None) or str(error)
            absent.append(Absent(name, " ".join(output.split())[-_ERROR_TAIL:]))
    return present, absent


def install(home: Path, name: str) -> Path:
    """Installs a peer, if its pins have changed, and returns the ``bin`` folder of its environment."""
    pins, place = PINS / f"{name}.txt", home / "venvs" / f"peer-{name}"
    stamp = place / ".stamp"
    if stamp.is_file() and stamp.read_text() == pins.read_text():
        return place / "bin"
    uv = home / "uv" / "bin" / "uv"
    environment = {**os.environ, **_index(home)}
    for arguments in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(place)],
        ["pip", "install", "--quiet", "--no-build", "--python", str(place / "bin" / "python"), "-r", str(pins)],
    ):
        subprocess.run(
            [str(uv), *arguments, "--no-config"],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
    stamp.write_text(pins.read_text())
    return place / "bin"


def _index(home: Path) -> dict[str, str]:
    """pip's package index, for uv (as in scripts/setup.sh)."""
    found = subprocess.run(
        [str(home / "uv" / "bin" / "python"), "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
    )
    index = os.environ.get("UV_DEFAULT_INDEX") or found.stdout.strip()
    return {"UV_DEFAULT_INDEX": index} if index else {}


def _bentoml(tools: Path, model: Forest, folder: Path) -> Contestant:
    argv = (
        str(tools / "bentoml"),
        "serve",
        "bentoml_service:Forest",
        "--working-dir",
        str(APPS),
        "--host",
        "127.0.0.1",
    )
    environment = {
        "MODEL_PATH": str(model.model),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    return Contestant("BentoML", (*argv, "--port", "{port}"), {**environment, **_path(tools)}, read=_probability)


def _litserve(tools: Path, model: Forest, folder: Path) -> Contestant:
    argv = (str(tools / "python"), str(APPS / "litserve_app.py"), "{port}")
    return Contestant("LitServe", argv, {"MODEL_PATH": str(model.model)}, read=_probability)


def _mlserver(tools: Path, model: Forest, folder: Path) -> Contestant:
    place = folder / "mlserver"
    place.mkdir(exist_ok=True)
    parameters = {"uri": str(model.model), "version": "1"}
    settings = {"name": "forest", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": parameters}
    (place / "model-settings.json").write_text(json.dumps(settings))
    environment = {
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": "{port}",
        "MLSERVER_GRPC_PORT": str(free_port()),
        "MLSERVER_METRICS_PORT": str(free_port()),
    }
    form = Form(
        path="/v2/models/forest/infer",
        item="%d, %d",
        prefix='{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [',
        suffix=']}], "outputs": [{"name": "predict_proba"}]}',
    )
    return Contestant(
        "MLServer",
        (str(tools / "mlserver"), "start", str(place)),
        {**environment, **_path(tools)},
        form,
        _open_inference,
    )


def _mlflow(tools: Path, model: Forest, folder: Path) -> Contestant:
    place = folder / f"mlflow-{model.model.stem}"
    if not place.is_dir():
        subprocess.run(
            [str(tools / "python"), str(APPS / "mlflow_model.py"), str(model.model), str(place)],
            check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS,
        )  # fmt: skip
    argv = (
        str(tools / "mlflow"),
        "models",
        "serve",
        "-m",
        str(place),
        "--env-manager",
        "local",
        "-h",
        "127.0.0.1",
        "-p",
        "{port}",
    )
    form = Form(path="/invocations", item="[%d, %d]", prefix='{"inputs": [', suffix="]}")
    return Contestant("mlflow models serve", argv, _path(tools), form, _mlflow_answer)


def _path(tools: Path) -> dict[str, str]:
    """PATH with the peer's tools first, because it starts helpers by name."""
    return {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}


def _probability(body: bytes) -> tuple[float | None, int | None]:
    return json.loads(body)["probability"], None


def _open_inference(body: bytes) -> tuple[float | None, int | None]:
    return json.loads(body)["outputs"][0]["data"][1], None


def _mlflow_answer(body: bytes) -> tuple[float | None, int | None]:
    return json.loads(body)["predictions"][0][1], None


PEERS: dict[str, Callable[[Path, Forest, Path], Contestant]] = {
    "bentoml": _bentoml,
    "litserve": _litserve,
    "mlserver": _mlserver,
    "mlflow": _mlflow,
}
