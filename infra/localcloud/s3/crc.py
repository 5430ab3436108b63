"""CRC-32C and CRC-64/NVME, which the standard library lacks, in Python.

A long block is cut into lanes of equal length, and all lanes take a step at once: the byte tables are applied with
``bytes.translate`` and combined as large integers, which is about ten times faster than a loop over bytes. The lanes'
results are then joined, because the CRC of two pieces follows from the CRCs of each.
"""

from __future__ import annotations

from functools import cache

_LANE = 256
_LONG = 64 * 1024


class Crc:
    """A reflected CRC whose register starts and ends inverted.

    Attributes:
        width: The number of bytes of the register.
    """

    def __init__(self, polynomial: int, width: int) -> None:
        """Takes the reflected polynomial and the register's width in bytes."""
        self.width = width
        self._mask = (1 << 8 * width) - 1
        self._table = []
        for value in range(256):
            for _ in range(8):
                value = (value >> 1) ^ polynomial if value & 1 else value >> 1
            self._table.append(value)
        # One table for each byte of the register that a step changes.
        self._bytes = [bytes(entry >> 8 * byte & 255 for entry in self._table) for byte in range(width)]
        self._shifts: dict[int, list[list[int]]] = {}

    def update(self, crc: int, data: bytes) -> int:
        """Continues a CRC with more data; the first call takes 0."""
        long = len(data) // _LANE * _LANE if len(data) >= _LONG else 0
        if long:
            crc = self._lanes(crc, data[:long])
        register = crc ^ self._mask
        table = self._table
        for byte in data[long:]:
            register = (register >> 8) ^ table[(register ^ byte) & 255]
        return register ^ self._mask

    def combine(self, first: int, second: int, length: int) -> int:
        """The CRC of two pieces from the CRC of each, and the length of the second."""
        return self._shift(first, length) ^ second

    def _lanes(self, crc: int, data: bytes) -> int:
        """All lanes start as if they were data of their own; their CRCs are combined in order."""
        count = len(data) // _LANE
        ones = (1 << 8 * count) - 1
        register = [ones] * self.width
        for step in range(_LANE):
            index = int.from_bytes(data[step::_LANE], "little") ^ register[0]
            at = index.to_bytes(count, "little")
            changed = [int.from_bytes(at.translate(table), "little") for table in self._bytes]
            register = [old ^ new for old, new in zip([*register[1:], 0], changed, strict=True)]
        columns = [(byte ^ ones).to_bytes(count, "little") for byte in register]
        for lane in zip(*columns, strict=True):
            crc = self._shift(crc, _LANE) ^ int.from_bytes(lane, "little")
        return crc

    def _shift(self, crc: int, length: int) -> int:
        """The register after ``length`` bytes of zero, without the inversions."""
        if length != _LANE:
            bit = 0
            while length >> bit:
                if length >> bit & 1:
                    crc = self._apply(self._operator(1 << bit), crc)
                bit += 1
            return crc
        return self._apply(self._operator(_LANE), crc)

    def _operator(self, length: int) -> list[list[int]]:
        """For each byte of the register and each of its values, the register after ``length`` zeros (a power of 2)."""
        if length not in self._shifts:
            if length == 1:
                after = [
                    self._table[value & 255] ^ (value >> 8) for value in (1 << bit for bit in range(8 * self.width))
                ]
            else:
                half = self._operator(length // 2)
                after = [self._apply(half, self._apply(half, 1 << bit)) for bit in range(8 * self.width)]
            self._shifts[length] = [
                [_combination(after[8 * byte : 8 * byte + 8], value) for value in range(256)]
                for byte in range(self.width)
            ]
        return self._shifts[length]

    @staticmethod
    def _apply(operator: list[list[int]], crc: int) -> int:
        result = 0
        for table in operator:
            result ^= table[crc & 255]
            crc >>= 8
        return result


def _combination(vectors: list[int], bits: int) -> int:
    result = 0
    for bit, vector in enumerate(vectors):
        if bits >> bit & 1:
            result ^= vector
    return result


@cache
def crc32() -> Crc:
    """CRC-32; only for combining, ``zlib.crc32`` is faster."""
    return Crc(0xEDB88320, 4)


@cache
def crc32c() -> Crc:
    """CRC-32C (Castagnoli)."""
    return Crc(0x82F63B78, 4)


@cache
def crc64nvme() -> Crc:
    """CRC-64/NVME."""
    return Crc(0x9A6C9329AC4BC9B5, 8)
