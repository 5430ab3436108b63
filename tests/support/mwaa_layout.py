"""A release unpacked as MWAA does it: ``dags/``, ``plugins/`` and ``requirements.txt`` in one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from infra.package.release import DAGS, MWAA, PLUGINS, REQUIREMENTS, Release
from tests.support.localcloud import VENVS
from tests.support.parsed_dags import SETTINGS

AIRFLOW_PYTHON = VENVS / "airflow" / "bin" / "python"


@dataclass(frozen=True)
class MwaaLayout:
    """Stands for ``/usr/local/airflow``."""

    root: Path

    @classmethod
    def unpack(cls, release: Release, root: Path) -> MwaaLayout:
        """Unpacks a release."""
        shutil.copytree(release.folder / MWAA / DAGS, root / DAGS)
        shutil.copy(release.folder / MWAA / REQUIREMENTS, root / REQUIREMENTS)
        with zipfile.ZipFile(release.folder / MWAA / PLUGINS) as archive:
            archive.extractall(root / "plugins")
        return cls(root)

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a process of Airflow. Nothing of the source tree is on its path."""
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        return {
            **keep,
            **SETTINGS,
            "PYTHONPATH": f"{self.root / 'plugins'}:{self.root / DAGS}",
            "AIRFLOW_HOME": str(self.root / "home"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.root / "plugins"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.root / DAGS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
            **more,
        }

    def python(self, script: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Runs a script with Airflow's Python in the layout."""
        return subprocess.run(
            [AIRFLOW_PYTHON, "-c", script, *arguments],
            cwd=self.root,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            check=False,
        )
