"""Which request ids of callers are kept."""

import pytest

from serving.request_ids import valid_request_id


@pytest.mark.parametrize("header", [b"abc-1", b"A.b_c-9", b"x" * 64])
def test_a_valid_id_is_kept(header: bytes):
    assert valid_request_id(header) == header.decode()


@pytest.mark.parametrize("header", [b"", b"x" * 65, b'a"b', b"a b", b"a\n", b"\xe9"])
def test_another_text_is_not(header: bytes):
    assert valid_request_id(header) == ""
