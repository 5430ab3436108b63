"""Partition projection: the values and locations of partitions that table properties describe."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from infra.localcloud.athena.aws import Partition, Table
from infra.localcloud.athena.errors import QueryError, UnsupportedError

LIMIT = 1_000_000
_NOW = re.compile(r"\s*NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?\s*)?", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")
_UNITS = ("YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS")
_JAVA = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_STRPTIME = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MM": "%m",
    "M": "%m",
    "MMM": "%b",
    "MMMM": "%B",
    "dd": "%d",
    "d": "%d",
    "DDD": "%j",
    "HH": "%H",
    "H": "%H",
    "mm": "%M",
    "m": "%M",
    "ss": "%S",
    "s": "%S",
}
# Fields that Java writes without a leading zero.
_UNPADDED = {"M": "month", "d": "day", "H": "hour", "m": "minute", "s": "second"}


def is_projected(table: Table) -> bool:
    """Whether the table's partitions are projected; its partitions in the catalog are then ignored, as on Athena."""
    value = table.description.get("Parameters", {}).get("projection.enabled", "")
    return bool(table.partition_keys) and str(value).strip().lower() == "true"


def _invalid(table: Table, reason: str) -> QueryError:
    name = f"{table.database}.{table.name}"
    return QueryError(f"INVALID_TABLE_PROPERTY: Table {name} is configured for partition projection, but {reason}")


@dataclass(frozen=True)
class Column:
    """The projection of one partition column.

    Attributes:
        name: The column.
        hive: Its Hive type.
        properties: Its properties without the prefix ``projection.<name>.``.
        fail: Makes the error of a wrong property from a reason.
    """

    name: str
    hive: str
    properties: Mapping[str, str]
    fail: Callable[[str], QueryError]

    def required(self, name: str) -> str:
        """Returns a property that must be given."""
        try:
            return self.properties[name]
        except KeyError:
            reason = f"the following partition column is missing projection property {name}: {self.name}"
            raise self.fail(reason) from None

    def whole(self, name: str, default: int) -> int:
        """Returns a property that is a whole number above 0."""
        value = self.properties.get(name, str(default)).strip()
        if not value.isdigit() or int(value) < 1:
            raise self.fail(f"projection.{self.name}.{name} must be a positive integer: {value}")
        return int(value)

    def bounds(self) -> tuple[str, str]:
        """Returns both ends of the range."""
        parts = [part.strip() for part in self.required("range").split(",")]
        if len(parts) != 2:
            raise self.fail(f"projection.{self.name}.range must be two values with a comma between them")
        return parts[0], parts[1]


def partitions(table: Table, injected: Callable[[str], Sequence[str]], now: datetime | None = None) -> list[Partition]:
    """Makes every partition that a table projects.

    Args:
        table: The table.
        injected: Returns the values of a column with the type ``injected``, which the query's conditions give.
        now: What ``NOW`` means; the present by default.

    Raises:
        QueryError: A property is missing or wrong.
        UnsupportedError: A property is not honoured here.
    """
    columns = _columns(table)
    values = [_values(column, injected, now or datetime.now(UTC).replace(tzinfo=None)) for column in columns]
    total = 1
    for found in values:
        total *= len(found)
    if total > LIMIT:
        raise UnsupportedError(f"a projection of {total} partitions", f"It projects at most {LIMIT} here.")
    parameters = table.description.get("Parameters", {})
    template = parameters.get("storage.location.template") or _default_template(table)
    names = [column.name for column in columns]
    missing = [name for name in names if f"${{{name}}}" not in template]
    if missing:
        raise _invalid(table, f"storage.location.template lacks the placeholder of {', '.join(missing)}: {template}")
    return [_partition(template, names, chosen) for chosen in itertools.product(*values)]


def _partition(template: str, names: list[str], chosen: tuple[tuple[str, str], ...]) -> Partition:
    parts = dict(zip(names, (text for _, text in chosen), strict=True))
    location = _PLACEHOLDER.sub(lambda found: parts.get(found[1].lower(), found[0]), template)
    return Partition(tuple(value for value, _ in chosen), location)


def _default_template(table: Table) -> str:
    return (
        table.location.rstrip("/") + "/" + "".join(f"{name}=${{{name.lower()}}}/" for name, _ in table.partition_keys)
    )


def _columns(table: Table) -> list[Column]:
    parameters = {str(name).lower(): str(value) for name, value in table.description.get("Parameters", {}).items()}
    found = []
    for name, hive in table.partition_keys:
        prefix = f"projection.{name.lower()}."
        own = {key.removeprefix(prefix): value for key, value in parameters.items() if key.startswith(prefix)}
        if "type" not in own:
            raise _invalid(table, f"the following partition columns are missing projection configuration: [{name}]")
        found.append(Column(name.lower(), hive.lower(), own, lambda reason: _invalid(table, reason)))
    return found


def _values(column: Column, injected: Callable[[str], Sequence[str]], now: datetime) -> list[tuple[str, str]]:
    """The value of each partition, and its text in the location."""
    kind = column.properties["type"].strip().lower()
    if kind == "enum":
        return [(value, value) for value in column.required("values").split(",")]
    if kind == "integer":
        return [(value, value) for value in _integers(column)]
    if kind == "injected":
        return [(value, value) for value in injected(column.name)]
    if kind == "date":
        return list(_dates(column, now))
    raise column.fail(f"projection.{column.name}.type must be enum, integer, date or injected: {kind}")


def _integers(column: Column) -> Iterator[str]:
    low, high = column.bounds()
    try:
        first, last = int(low), int(high)
    except ValueError:
        raise column.fail(f"projection.{column.name}.range must be two integers: {low},{high}") from None
    if first > last:
        raise column.fail(f"projection.{column.name}.range must rise: {low},{high}")
    digits = column.whole("digits", 1)
    for number in range(first, last + 1, column.whole("interval", 1)):
        yield f"{'-' if number < 0 else ''}{abs(number):0{digits}d}"


# --- dates --------------------------------------------------------------------------------------------------------


def _pieces(column: Column) -> list[tuple[str, str]]:
    """The parts of a Java date pattern: ``("letters", "yyyy")`` or ``("text", "-")``."""
    pattern = column.required("format")
    found = []
    for matched in _JAVA.finditer(pattern):
        if matched[1] is not None:
            found.append(("text", matched[1].replace("''", "'") or "'"))
        elif matched[2]:
            if matched[0] not in _STRPTIME:
                raise UnsupportedError(f"the letters {matched[0]} in projection.{column.name}.format")
            found.append(("letters", matched[0]))
        else:
            found.append(("text", matched[0]))
    return found


def _parse(column: Column, pieces: list[tuple[str, str]], text: str, now: datetime) -> datetime:
    matched = _NOW.fullmatch(text)
    if matched:
        number = int(matched[2] or 0) * (-1 if matched[1] == "-" else 1)
        return plus(now, number, (matched[3] or "SECOND").upper() + "S")
    written = "".join(_STRPTIME[piece] if kind == "letters" else piece.replace("%", "%%") for kind, piece in pieces)
    try:
        parsed = datetime.strptime(f"{text} +0000", f"{written} %z")
        return datetime.combine(parsed.date(), parsed.time())
    except ValueError:
        raise column.fail(
            f"projection.{column.name}.range must be two dates of the format {column.required('format')}"
            f" or expressions with NOW: {text}"
        ) from None


def _format(pieces: list[tuple[str, str]], moment: datetime) -> str:
    written = []
    for kind, piece in pieces:
        if kind == "text":
            written.append(piece)
        elif piece in _UNPADDED:
            written.append(str(getattr(moment, _UNPADDED[piece])))
        elif piece in ("yyyy", "uuuu"):
            written.append(f"{moment.year:04d}")
        else:
            written.append(moment.strftime(_STRPTIME[piece]))
    return "".join(written)


def plus(moment: datetime, number: int, unit: str) -> datetime:
    """Adds a number of units; the day of a shorter month is its last one."""
    if unit not in ("YEARS", "MONTHS"):
        return moment + timedelta(**{unit.lower(): number})
    months = moment.year * 12 + moment.month - 1 + number * (12 if unit == "YEARS" else 1)
    year, month = months // 12, months % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return moment.replace(year=year, month=month, day=min(moment.day, (following - timedelta(days=1)).day))


def _unit(column: Column, letters: set[str]) -> str:
    given = column.properties.get("interval.unit")
    if given:
        unit = given.strip().upper().rstrip("S") + "S"
        if unit not in _UNITS:
            raise column.fail(f"projection.{column.name}.interval.unit must be one of {', '.join(_UNITS)}: {given}")
        return unit
    if letters & {"H", "m", "s"}:
        raise column.fail(f"projection.{column.name}.interval.unit is required, because the format is finer than a day")
    return "DAYS" if letters & {"d", "D"} else "MONTHS" if "M" in letters else "YEARS"


def _dates(column: Column, now: datetime) -> Iterator[tuple[str, str]]:
    pieces = _pieces(column)
    unit = _unit(column, {piece[0] for kind, piece in pieces if kind == "letters"})
    interval = column.whole("interval", 1)
    low, high = (_parse(column, pieces, text, now) for text in column.bounds())
    if low > high:
        raise column.fail(f"projection.{column.name}.range must rise: {column.properties['range']}")
    # Both ends are as exact as the format.
    first, last = (_parse(column, pieces, _format(pieces, moment), now) for moment in (low, high))
    number = 0
    while (moment := plus(first, number, unit)) <= last:
        written = _format(pieces, moment)
        if column.hive == "date":
            yield moment.date().isoformat(), written
        elif column.hive == "timestamp":
            yield moment.isoformat(sep=" "), written
        else:
            yield written, written
        number += interval
