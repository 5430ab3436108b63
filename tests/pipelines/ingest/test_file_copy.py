"""What a dropped file must be before anybody reads its rows."""

from __future__ import annotations

import hashlib
import io

import pytest

from include.pipelines.ingest import file_copy
from include.pipelines.ingest.file_copy import copied
from include.pipelines.ingest.file_outcomes import FileRefusedError


def copy(content: bytes, max_megabytes: int = 1) -> tuple[bytes, str, int]:
    with copied(io.BytesIO(content), max_megabytes) as found:
        return found.path.read_bytes(), found.sha256, found.bytes


def test_a_copy_has_the_content_and_its_digest_and_is_gone_afterwards() -> None:
    content = "é\n".encode()
    with copied(io.BytesIO(content), 1) as found:
        assert found.path.read_bytes() == content
    assert (found.sha256, found.bytes) == (hashlib.sha256(content).hexdigest(), 3)
    assert not found.path.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"a\nb", "does not end with a line break, so it may be cut off"),
        (b"ab\xe9c\n", "is not UTF-8: invalid continuation byte at byte 2"),
        (b"ab\xc3", "is not UTF-8: unexpected end of data at byte 2"),
        ("é\n".encode("utf-16"), "is UTF-16"),
        ("key\n".encode("utf-16-le"), "is not text: byte 1 is zero"),
        (b"PAR1....", "is Parquet"),
        (b"\x1f\x8b\x08", "is compressed with gzip"),
        (b"PK\x03\x04", "a ZIP archive or a spreadsheet"),
        (b"x" * 2 * 1024 * 1024, "has more than 1 MiB; split it"),
    ],
)
def test_what_is_no_complete_text_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(FileRefusedError, match=reason):
        copy(content)


@pytest.mark.parametrize("block", [1, 2, 3])
def test_a_character_may_lie_across_two_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(file_copy, "BLOCK_BYTES", block)
    content = "aé€𝄞\n".encode()
    assert copy(content)[0] == content
    with pytest.raises(FileRefusedError, match="at byte 3; send UTF-8"):
        copy("aé".encode() + b"\xff\n")
