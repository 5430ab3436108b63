"""The stand-in for the base image ``python:3.12-slim-bookworm``, made from what this machine has.

It has what a slim image has: a shell, coreutils and their like, the C and C++ libraries, and Python 3.12 with pip in
``/usr/local``. It has no compiler and no apt, so a Dockerfile that needs one of them fails here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

_PROGRAMS = (
    "sh bash env cat ls rm mkdir rmdir cp mv ln chmod chown install id true false echo sleep touch head tail wc sort "
    "uniq cut tr tee date uname basename dirname readlink stat find grep sed awk tar gzip xargs ldconfig"
)
_FOLDERS = "usr/bin usr/sbin usr/lib usr/lib64 usr/local/bin usr/local/lib etc root opt tmp"
# The files that programs of any image expect.
_FILES = ("/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")
# Of libc6 and libstdc++6, which every slim image has; wheels link to them.
_LIBRARIES = (
    "libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 libresolv.so.2 libstdc++.so.6 libgcc_s.so.1"
)
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_UNUSED = ("test", "idlelib", "tkinter", "turtledemo", "site-packages", "lib2to3", "config-*", "_tkinter*")
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


def make(root: Path) -> None:
    """Makes the root folder of the base image."""
    for name in _FOLDERS.split():
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name}")
    for file in _FILES:
        if Path(file).exists():
            _copy(Path(file), root)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (root / "etc/group").write_text("root:x:0:\n")
    programs = [Path(found) for name in _PROGRAMS.split() if (found := shutil.which(name, path=_PATH))]
    for program in programs:
        _copy(program, root)
    python = _copy_python(root)
    for library in _libraries([*programs, *python]):
        _copy(library, root)
    _copy_dynamic_linker_settings(root)


def _copy(source: Path, root: Path) -> None:
    """Copies a file of this machine, followed through links, to the same place."""
    target = root / source.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(source, target)


def _copy_python(root: Path) -> list[Path]:
    """Copies this Python to /usr/local, with the pip that it bundles; returns its binaries on this machine."""
    prefix, local = Path(sys.base_prefix), root / "usr/local"
    binary = prefix / "bin" / _PYTHON
    shutil.copy2(binary, local / "bin" / _PYTHON)
    for name in ("python3", "python"):
        (local / "bin" / name).symlink_to(_PYTHON)
    library = local / "lib" / _PYTHON
    shutil.copytree(prefix / "lib" / _PYTHON, library, symlinks=True, ignore=shutil.ignore_patterns(*_UNUSED))
    # The image has Python's headers, but no program that could use them.
    shutil.copytree(prefix / "include" / _PYTHON, local / "include" / _PYTHON)
    for shared in (prefix / "lib").glob(f"lib{_PYTHON}*.so*"):
        shutil.copy2(shared, local / "lib", follow_symlinks=False)
    (wheel,) = (library / "ensurepip/_bundled").glob("pip-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(library / "site-packages")
    # The image's own /usr/local/bin/pip; the wheel's entry points would make it.
    pip = local / "bin/pip"
    pip.write_text("#!/usr/local/bin/python\nfrom pip._internal.cli.main import main\nraise SystemExit(main())\n")
    pip.chmod(0o755)
    record = next((library / "site-packages").glob("pip-*.dist-info/RECORD"))
    record.write_text(record.read_text() + "../../../bin/pip,,\n")
    return [binary, *(path for path in library.glob("lib-dynload/*.so"))]


def _libraries(binaries: list[Path]) -> set[Path]:
    """What these binaries are linked with, and the libraries that every image has."""
    shown = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    found = {Path(path) for path in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", shown, re.MULTILINE)}
    found = {path for path in found if not path.is_relative_to(sys.base_prefix)}
    folder = next(path for path in found if path.name == "libc.so.6").parent
    return found | {folder / name for name in _LIBRARIES.split() if (folder / name).exists()}


def _copy_dynamic_linker_settings(root: Path) -> None:
    """Lets the dynamic linker find /usr/local/lib, as the image's own ``ldconfig`` does."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
    folders = ["/usr/local/lib", f"/lib/{multiarch}", f"/usr/lib/{multiarch}"]
    (root / "etc/ld.so.conf").write_text("\n".join(folders) + "\n")
    subprocess.run(["chroot", str(root), "/sbin/ldconfig"], check=True, capture_output=True)
