"""The salvage path: line by line, exact and slow. Valid lines are kept, bad ones say why.

A line is bad when it is no strict JSON object in UTF-8 (NaN, Infinity, BOM and NUL included) or
has no usable heartbeat. A value that does not fit its field goes to the row's ``_rescued``; so does
the earlier value of a key that occurs twice. A field nobody knows becomes a column.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipeline import fields
from pipeline.ingest.gunzip import Unpacked

WHITE = b" \t\r\v\f"
RESERVED = {name for name, _ in fields.ADDED}

#: Classes of bad lines, as the ``quarantine`` view names them.
REASONS = ("json", "utf8", "nul", "bom", "not object", "torn", "trailing", "heartbeat", "clock")


class TooLong(Exception):
    """One line is beyond the limit."""


@dataclass(frozen=True)
class BadLine:
    """A line that could not be accepted, with its bytes as they came."""

    line: int
    reason: str
    content: bytes


@dataclass
class Salvaged:
    """Rows that could be read, as a frame like the fast path's with ``_line`` and ``_rescued``."""

    frame: pl.DataFrame
    lines: int = 0
    blank: int = 0
    bad: list[BadLine] = field(default_factory=list)
    #: Fields outside the schema, with the type of their first value; in the order of the file.
    unknown: dict[str, str] = field(default_factory=dict)


class Bad(Exception):
    """Why a line is bad: one of REASONS."""


def salvage(unpacked: Unpacked, schema: dict[str, pl.DataType], longest: int) -> Salvaged:
    """Read what can be read. Raises TooLong when a line has more than ``longest`` bytes."""
    pieces = unpacked.text.split(b"\n")
    tail = pieces.pop()  # behind the last newline: nothing, a whole last line, or a torn one
    if tail:
        pieces.append(tail)
    if any(len(piece) > longest for piece in pieces):
        raise TooLong
    reader = _Rows(schema)
    result = Salvaged(pl.DataFrame(), lines=len(pieces))
    for number, piece in enumerate(pieces, 1):
        try:
            if unpacked.torn and tail and number == len(pieces):
                raise Bad("torn")
            if piece.strip(WHITE):
                reader.add(number, parse(piece, first=number == 1))
            else:
                result.blank += 1
        except Bad as why:
            result.bad.append(BadLine(number, str(why), piece))
    if unpacked.trailing:
        result.lines += 1
        result.bad.append(BadLine(result.lines, "trailing", unpacked.trailing))
    result.frame, result.unknown = reader.frame(), reader.unknown
    return result


def parse(line: bytes, *, first: bool = False) -> list[tuple[str, Any]]:
    """The (key, value) pairs of one line, repeated keys included. Raises Bad."""
    if b"\0" in line:
        raise Bad("nul")
    if first and line.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise Bad("bom")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise Bad("utf8") from None
    try:
        value = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Bad("json") from None
    if not isinstance(value, _Pairs):
        raise Bad("not object")
    return value


class _Pairs(list[tuple[str, Any]]):
    """A JSON object that remembers repeated keys."""


def _no_constant(name: str) -> Any:
    raise ValueError(name)


class _Rows:
    """Columns under construction: lists of values, one entry a row."""

    def __init__(self, schema: dict[str, pl.DataType]) -> None:
        self.schema = {**schema, fields.TIME_FIELD: pl.String()}
        self.folded = {name.casefold(): name for name in self.schema}
        self.columns: dict[str, list[Any]] = {name: [] for name in self.schema}
        self.numbers: list[int] = []
        self.rescued: list[str | None] = []
        self.unknown: dict[str, str] = {}

    def add(self, number: int, pairs: list[tuple[str, Any]]) -> None:
        """Append one line's values; raises Bad before anything is kept."""
        row: dict[str, Any] = {}
        rescued: dict[str, Any] = {}
        for key, value in pairs:
            name = self.folded.get(key.casefold())
            if name is None:
                if value is not None:
                    self._meet(key, value)
                    rescued[key] = value
                continue
            if name in row:
                _keep_earlier(rescued, name, row[name])
            row[name] = value
        heartbeat = _heartbeat(row.pop(fields.TIME_FIELD, None))
        for name, values in self.columns.items():
            if name == fields.TIME_FIELD:
                values.append(heartbeat)
            elif name in row:
                fit, value = _fit(row[name], self.schema[name])
                values.append(value)
                if not fit:
                    rescued[name] = row[name]
            else:
                values.append(None)
        self.numbers.append(number)
        self.rescued.append(json.dumps(_plain(rescued)) if rescued else None)

    def _meet(self, name: str, value: Any) -> None:
        """Note a field that the schema lacks, by its first value that is not null."""
        if name.casefold() in RESERVED or not name or "\0" in name:
            return
        number = isinstance(value, int | float) and not isinstance(value, bool)
        known = {other.casefold() for other in self.unknown}
        if name.casefold() not in known:
            self.unknown[name] = "DOUBLE" if number else "VARCHAR"

    def frame(self) -> pl.DataFrame:
        data = [pl.Series(name, self.columns[name], kind) for name, kind in self.schema.items()]
        data.append(pl.Series("_line", self.numbers, pl.Int32))
        data.append(pl.Series("_rescued", self.rescued, pl.String))
        return pl.DataFrame(data)


def _keep_earlier(rescued: dict[str, Any], name: str, value: Any) -> None:
    """The last of a repeated key wins; one earlier value is kept as it is, several as a list."""
    rescued[name] = value if name not in rescued else [rescued[name], value]


def _heartbeat(value: Any) -> str:
    """The heartbeat as text of a number. Raises Bad when it is none or means *no value*."""
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            raise Bad("heartbeat") from None
        if math.isfinite(number) and number != fields.SENTINEL and value.strip() == value:
            return value
    elif isinstance(value, int) and not isinstance(value, bool) and value != fields.SENTINEL:
        return str(value)
    elif isinstance(value, float) and math.isfinite(value) and value != fields.SENTINEL:
        return repr(value)
    raise Bad("heartbeat")


def _fit(value: Any, kind: pl.DataType) -> tuple[bool, Any]:
    """(fits, value in the field's type). Numbers fit text, as in the fast path."""
    return _number(value) if kind == pl.Float64() else _text(value)


def _number(value: Any) -> tuple[bool, float | None]:
    if value is None or value in ("-9999", "-9999.0"):
        return True, None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False, None
    try:
        number = float(value)
    except OverflowError:
        return False, None
    return (True, number) if math.isfinite(number) else (False, None)


def _text(value: Any) -> tuple[bool, str | None]:
    if value is None:
        return True, None
    if isinstance(value, str):
        fits = "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
        return fits, value if fits else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False, None
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return True, str(int(value)) if whole else repr(value)
    return True, str(value)


def _plain(value: Any) -> Any:
    """JSON again: pairs become objects, what JSON cannot say (infinity) becomes text."""
    if isinstance(value, _Pairs):
        return {key: _plain(item) for key, item in value}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
