"""Archives with any members, safe or not."""

from __future__ import annotations

import io
import tarfile


def tar_gz(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    """A ``tar.gz`` with these members, in this order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    """A link, folder or device, by tarfile's type constant."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info
