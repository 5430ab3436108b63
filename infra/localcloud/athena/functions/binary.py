"""Trino's functions of bytes and of their encodings that DuckDB 1.5.5 lacks or that fail otherwise."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

from infra.localcloud.athena.functions.python import PythonFunction
from infra.localcloud.athena.functions.text import wrong_argument

_MASK = 2**64 - 1
_PRIMES = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_STANDARD = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URL = _STANDARD[:-2] + b"-_"


def _from_hex(text: str) -> bytes:
    if len(text.encode()) % 2:
        raise wrong_argument(f"invalid input length {len(text.encode())}")
    for letter in text:
        if letter not in "0123456789abcdefABCDEF":
            raise wrong_argument(f'not a hexadecimal digit: "{letter}" = {ord(letter)}')
    return bytes.fromhex(text)


def _base64_decoder(alphabet: bytes) -> Callable[[str], bytes]:
    """Makes a decoder like Java's: padding may be absent, but what there is must be right."""
    pattern = re.compile(rf"(?:[{re.escape(alphabet.decode())}]{{4}})*([{re.escape(alphabet.decode())}]*)(=*)")

    def decode(text: str) -> bytes:
        matched = pattern.fullmatch(text)
        if not matched or (len(matched[1]), len(matched[2])) not in ((0, 0), (2, 0), (2, 2), (3, 0), (3, 1)):
            raise wrong_argument(f"Illegal base64 text: {text}")
        standard = text.rstrip("=").translate({45: 43, 95: 47})
        return base64.b64decode(standard + "=" * (-len(standard) % 4))

    return decode


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _from_base32(text: str) -> bytes:
    bare = text.rstrip("=")
    try:
        return base64.b32decode(bare + "=" * (-len(bare) % 8))
    except binascii.Error:
        raise wrong_argument(f"Illegal base32 text: {text}") from None


def _from_big_endian(size: int) -> Callable[[bytes], int]:
    def decode(data: bytes) -> int:
        if len(data) != size:
            raise wrong_argument(f"expected {size}-byte input, but got instead: {len(data)}")
        return int.from_bytes(data, "big", signed=True)

    return decode


def _from_ieee(layout: str) -> Callable[[bytes], float]:
    size = struct.calcsize(layout)

    def decode(data: bytes) -> float:
        if len(data) != size:
            raise wrong_argument(f"Input floating-point value must be exactly {size} bytes long")
        return float(struct.unpack(layout, data)[0])

    return decode


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _round(accumulator: int, lane: int) -> int:
    return _rotated((accumulator + lane * _PRIMES[1]) & _MASK, 31) * _PRIMES[0] & _MASK


def xxhash64(data: bytes) -> bytes:
    """Computes XXH64 with seed 0, big-endian as Trino returns it."""
    length, position = len(data), 0
    if length >= 32:
        lanes = [(_PRIMES[0] + _PRIMES[1]) & _MASK, _PRIMES[1], 0, -_PRIMES[0] & _MASK]
        while position <= length - 32:
            block = struct.unpack_from("<4Q", data, position)
            lanes = [_round(lane, word) for lane, word in zip(lanes, block, strict=True)]
            position += 32
        total = sum(_rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for lane in lanes:
            total = ((total ^ _round(0, lane)) * _PRIMES[0] + _PRIMES[3]) & _MASK
    else:
        total = _PRIMES[4]
    total = (total + length) & _MASK
    while position + 8 <= length:
        total ^= _round(0, struct.unpack_from("<Q", data, position)[0])
        total = (_rotated(total, 27) * _PRIMES[0] + _PRIMES[3]) & _MASK
        position += 8
    if position + 4 <= length:
        total ^= struct.unpack_from("<I", data, position)[0] * _PRIMES[0] & _MASK
        total = (_rotated(total, 23) * _PRIMES[1] + _PRIMES[2]) & _MASK
        position += 4
    for byte in data[position:]:
        total = _rotated(total ^ byte * _PRIMES[4] & _MASK, 11) * _PRIMES[0] & _MASK
    total = (total ^ total >> 33) * _PRIMES[1] & _MASK
    total = (total ^ total >> 29) * _PRIMES[2] & _MASK
    return (total ^ total >> 32).to_bytes(8, "big")


def _code_point(data: bytes, position: int) -> int:
    """Returns the code point at a position; the negative length of what is no UTF-8 there, as Trino skips it."""
    first = data[position]
    if first < 0x80:
        return first
    if not 0xC0 <= first < 0xFE:
        return -1
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4 if first < 0xF8 else 5 if first < 0xFC else 6
    for index in range(1, size):
        if position + index >= len(data) or data[position + index] & 0xC0 != 0x80:
            return -index
    if size > 4:
        return -size
    try:
        return ord(data[position : position + size].decode())
    except UnicodeDecodeError:
        return -size


def _from_utf8(data: bytes, replacement: str) -> str:
    if len(replacement) > 1:
        raise wrong_argument("Replacement character string must empty or a single character")
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    letters, position = [], 0
    while position < len(data):
        found = _code_point(data, position)
        letters.append(replacement if found < 0 else chr(found))
        position += -found if found < 0 else len(chr(found).encode())
    return "".join(letters)


def _substr(data: bytes, start: int, size: int) -> bytes:
    if start == 0 or size <= 0 or start < -len(data):
        return b""
    begin = start - 1 if start > 0 else len(data) + start
    return data[begin : begin + size]


def _hmac(name: str) -> Callable[[bytes, bytes], bytes]:
    return lambda data, key: hmac.new(key, data, name).digest()


def _pad(data: bytes, size: int, padding: bytes, *, left: bool) -> bytes:
    if not 0 <= size < 2**31:
        raise wrong_argument(f"Target length must be in the range [0..{2**31 - 1}]")
    if not padding:
        raise wrong_argument("Padding bytes must not be empty")
    missing = size - len(data)
    if missing <= 0:
        return data[:size]
    filled = (padding * (missing // len(padding) + 1))[:missing]
    return filled + data if left else data + filled


def _function(name: str, call: Callable[..., Any], parameters: str, returns: str) -> PythonFunction:
    kinds = {"v": "VARCHAR", "n": "BIGINT", "b": "BLOB", "i": "INTEGER", "d": "DOUBLE", "f": "FLOAT"}
    return PythonFunction(name, call, tuple(kinds[letter] for letter in parameters), returns)


FUNCTIONS = (
    _function("py_from_hex", _from_hex, "v", "BLOB"),
    _function("py_from_base64", _base64_decoder(_STANDARD), "v", "BLOB"),
    _function("py_from_base64url", _base64_decoder(_URL), "v", "BLOB"),
    _function("py_to_base64url", _to_base64url, "b", "VARCHAR"),
    _function("py_to_base32", lambda data: base64.b32encode(data).decode(), "b", "VARCHAR"),
    _function("py_from_base32", _from_base32, "v", "BLOB"),
    _function("py_from_utf8", _from_utf8, "bv", "VARCHAR"),
    _function("py_sha512", lambda data: hashlib.sha512(data).digest(), "b", "BLOB"),
    _function("py_crc32", zlib.crc32, "b", "BIGINT"),
    _function("py_xxhash64", xxhash64, "b", "BLOB"),
    *(_function(f"py_hmac_{name}", _hmac(name), "bb", "BLOB") for name in ("md5", "sha1", "sha256", "sha512")),
    _function("py_to_big_endian_64", lambda value: value.to_bytes(8, "big", signed=True), "n", "BLOB"),
    _function("py_to_big_endian_32", lambda value: value.to_bytes(4, "big", signed=True), "i", "BLOB"),
    _function("py_from_big_endian_64", _from_big_endian(8), "b", "BIGINT"),
    _function("py_from_big_endian_32", _from_big_endian(4), "b", "INTEGER"),
    _function("py_to_ieee754_64", lambda value: struct.pack(">d", value), "d", "BLOB"),
    _function("py_to_ieee754_32", lambda value: struct.pack(">f", value), "f", "BLOB"),
    _function("py_from_ieee754_64", _from_ieee(">d"), "b", "DOUBLE"),
    _function("py_from_ieee754_32", _from_ieee(">f"), "b", "FLOAT"),
    _function("py_reverse_bytes", lambda data: data[::-1], "b", "BLOB"),
    _function("py_substr_bytes", _substr, "bnn", "BLOB"),
    _function("py_lpad_bytes", lambda data, size, padding: _pad(data, size, padding, left=True), "bnb", "BLOB"),
    _function("py_rpad_bytes", lambda data, size, padding: _pad(data, size, padding, left=False), "bnb", "BLOB"),
)
