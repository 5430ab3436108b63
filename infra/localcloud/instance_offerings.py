"""What instance types a region offers, read when it is asked for.

moto reads it for every region when it is imported: 43 MB of lists that hardly anyone asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import moto.utilities.utils

_FILES = "ec2/resources/instance_type_offerings"
_Read = Callable[[str], Any]


class Offerings(Mapping[str, list[dict[str, Any]]]):
    """The offerings of each region, as moto has them.

    Args:
        location_type: ``region``, ``availability-zone`` or ``availability-zone-id``.
        regions: The regions.
        read: Reads a file of moto's.
    """

    def __init__(self, location_type: str, regions: list[str], read: _Read) -> None:
        self._location_type = location_type
        self._regions = regions
        self._read = read

    def __getitem__(self, region: str) -> list[dict[str, Any]]:
        if region not in self._regions:
            raise KeyError(region)
        found: list[dict[str, Any]] = self._read(f"{_FILES}/{self._location_type}/{region}.json")
        return [{**one, "LocationType": self._location_type} for one in found]

    def __iter__(self) -> Iterator[str]:
        return iter(self._regions)

    def __len__(self) -> int:
        return len(self._regions)


def read_offerings_when_asked() -> None:
    """Imports moto's module of instance types without their offerings. Call it before anything else imports that."""
    utilities: Any = moto.utilities.utils
    read = utilities.load_resource
    utilities.load_resource = lambda file: [] if file.startswith(_FILES) else read(file)
    try:
        from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
    finally:
        utilities.load_resource = read
    for location_type, regions in INSTANCE_TYPE_OFFERINGS.items():
        INSTANCE_TYPE_OFFERINGS[location_type] = Offerings(location_type, list(regions), read)
