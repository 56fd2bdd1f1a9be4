"""The salvage path: line by line, exact and slow. Valid lines are kept, bad ones say why.

A line is bad when it is no strict JSON object in UTF-8 (NaN, Infinity, BOM and NUL included) or
has no usable heartbeat. A value that does not fit its field goes to the row's ``_rescued``; so does
the earlier value of a key that occurs twice. A field nobody knows becomes a column.

Most lines of a damaged file are good, so the fast path is asked about blocks of lines first. Only
blocks that it refuses, or might read in another way, are gone through line by line: the result is
the same as if all were.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import NoneType
from typing import Any

import polars as pl

from pipeline import fields
from pipeline.errors import RefusedByFastPath
from pipeline.ingest import fast
from pipeline.ingest.clean import keep_earlier
from pipeline.ingest.gunzip import Unpacked
from pipeline.ingest.unpack import has_longer_line

WHITE = b" \t\r\v\f"
RESERVED = {name for name, _ in fields.ADDED}

#: Lines the fast path is asked about at once. Each call costs some 2 ms whatever it holds, and one
#: bad line costs its whole block. 3,600 lines with 1 and with 3 bad ones took 0.22 and 0.25 s in
#: blocks of 100, 0.17 and 0.21 s in blocks of 200, 0.15 and 0.23 s in blocks of 400.
BLOCK = 200

#: After so many refusals in a row, so many blocks are not asked about: some files are hopeless
#: from end to end (each line repeats a key), some are damaged in one place.
PATIENCE, PAUSE = 3, 8

#: Heartbeats of which both ways make the same text. They differ on ``1e9`` and ``1767225600.0``,
#: and on digits beyond the 15 that a float is sure to keep; what is no time is bad line by line.
_PLAIN_TIME = re.compile(
    rb'"heartbeat": ?'
    rb'(?:[0-9]{1,15}|(?=[0-9.]{1,16}[,} ])[1-9][0-9]*\.[0-9]*[1-9]|"[0-9]{1,15}(?:\.[0-9]{1,9})?")'
    rb"[,} ]"
)

#: Texts that may be numbers which the two ways write differently: of 16 digits or more, below
#: 0.0001, or minus zero.
_ODD_NUMBER = r"^-?[0-9.]{16}|^-?0\.0000|^-0"

#: What no Parquet file can hold as text.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

#: Levels of lists and objects in one line. Far below what Python's stack, and readers, can take.
DEEPEST = 100

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
    if has_longer_line(unpacked.text, longest):
        raise TooLong
    pieces = unpacked.text.split(b"\n")
    tail = pieces.pop()  # behind the last newline: nothing, a whole last line, or a torn one
    if tail:
        pieces.append(tail)
    result = Salvaged(pl.DataFrame(), lines=len(pieces))
    torn = pieces.pop() if unpacked.torn and tail else None
    lines = [(number, piece) for number, piece in enumerate(pieces, 1) if piece.strip(WHITE)]
    result.blank = len(pieces) - len(lines)
    _read(lines, schema, result)
    if torn is not None:
        result.bad.append(BadLine(result.lines, "torn", torn))
    if unpacked.trailing:
        result.lines += 1
        result.bad.append(BadLine(result.lines, "trailing", unpacked.trailing))
    return result


_Lines = Sequence[tuple[int, bytes]]


def _read(lines: _Lines, schema: dict[str, pl.DataType], result: Salvaged) -> None:
    """Fill ``result`` from numbered lines, block after block."""
    rows, patience = _Rows(schema), _Patience()
    frames = [rows.frame()]  # of no rows: it has the columns when nothing else comes
    rest = iter(lines)
    while block := list(islice(rest, BLOCK)):
        frame = _vouched(block, schema) if patience.asks() else None
        patience.learn(frame is not None)
        frames.append(_one_by_one(block, rows, result) if frame is None else frame)
    result.frame, result.unknown = pl.concat(frames, how="vertical"), rows.unknown


def _one_by_one(lines: _Lines, rows: _Rows, result: Salvaged) -> pl.DataFrame:
    """The frame of the good lines; the bad ones are noted."""
    for number, line in lines:
        try:
            rows.add(number, parse(line, first=number == 1))
        except Bad as why:
            result.bad.append(BadLine(number, str(why), line))
    return rows.frame()


def _vouched(lines: _Lines, schema: dict[str, pl.DataType]) -> pl.DataFrame | None:
    """The frame of the fast path, or None unless line by line gives the very same.

    Beyond the fast path's own proof that means: no null, because it is not told from a key that
    repeats or comes in another case, and no number as text that the two ways write differently.
    """
    text = b"\n".join(line for _, line in lines)
    if b"null" in text or not all(_PLAIN_TIME.search(line) for _, line in lines):
        return None
    try:
        frame = fast.read(text, schema)
    except RefusedByFastPath:
        return None
    texts = pl.col(pl.String).exclude(fields.TIME_FIELD)
    if any(frame.select(texts.str.contains(_ODD_NUMBER).any()).row(0)):
        return None
    numbers = pl.Series("_line", [number for number, _ in lines], pl.Int32)
    return frame.with_columns(numbers, pl.lit(None, pl.String).alias("_rescued"))


class _Patience:
    """Whether to ask the fast path about the next block: seldom while it refuses all."""

    def __init__(self) -> None:
        self.refusals = 0
        self.pause = 0

    def asks(self) -> bool:
        """True unless a pause is on."""
        return self.pause == 0

    def learn(self, vouched: bool) -> None:
        """Note what became of a block, asked about or not."""
        if vouched:
            self.refusals = 0
        elif self.pause:
            self.pause -= 1
        else:
            self.refusals += 1
            self.pause = PAUSE if self.refusals >= PATIENCE else 0


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
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise Bad("json") from None
    if not isinstance(value, _Pairs):
        raise Bad("not object")
    if text.count("[") + text.count("{") > DEEPEST and _levels(value) > DEEPEST:
        raise Bad("json")
    return value


def _levels(value: Any) -> int:
    """How deep lists and objects are nested in each other."""
    levels, inside = 0, [value]
    while inside := [item for item in inside if isinstance(item, list)]:
        levels += 1
        inside = [pair[1] if isinstance(item, _Pairs) else pair for item in inside for pair in item]
    return levels


class _Pairs(list[tuple[str, Any]]):
    """A JSON object that remembers repeated keys."""


def _no_constant(name: str) -> Any:
    raise ValueError(name)


#: ``json.loads`` with these would make a decoder for each line.
_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_no_constant)


class _Rows:
    """Rows under construction. Values are fitted to their fields a column at a time."""

    def __init__(self, schema: dict[str, pl.DataType]) -> None:
        self.schema = {**schema, fields.TIME_FIELD: pl.String()}
        self.folded = {name.casefold(): name for name in self.schema}
        self.rows: list[dict[str, Any]] = []
        self.numbers: list[int] = []
        self.rescued: list[dict[str, Any]] = []
        self.unknown: dict[str, str] = {}

    def add(self, number: int, pairs: list[tuple[str, Any]]) -> None:
        """Append one line's values; raises Bad before anything is kept."""
        row, rescued = dict(pairs), dict[str, Any]()
        if len(row) != len(pairs) or not row.keys() <= self.schema.keys():
            row, rescued = self._sort_out(pairs)
        row[fields.TIME_FIELD] = _heartbeat(row.get(fields.TIME_FIELD))
        self.rows.append(row)
        self.numbers.append(number)
        self.rescued.append(rescued)

    def _sort_out(self, pairs: list[tuple[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
        """(values by field, rescued values) of a line with repeated, unknown or recased keys."""
        row: dict[str, Any] = {}
        rescued: dict[str, Any] = {}
        for key, value in pairs:
            name = key if key in self.schema else self.folded.get(key.casefold())
            if name is None:
                if value is not None:
                    self._meet(key, value)
                    rescued[key] = value
                continue
            if name in row:
                keep_earlier(rescued, name, row[name])
            row[name] = value
        return row, rescued

    def _meet(self, name: str, value: Any) -> None:
        """Note a field that the schema lacks, by its first value that is not null."""
        if name.casefold() in RESERVED or not name or "\0" in name:
            return
        number = isinstance(value, int | float) and not isinstance(value, bool)
        known = {other.casefold() for other in self.unknown}
        if name.casefold() not in known:
            self.unknown[name] = "DOUBLE" if number else "VARCHAR"

    def frame(self) -> pl.DataFrame:
        """The rows since the last call, in their order."""
        data = [self._column(name, kind) for name, kind in self.schema.items()]
        rescued = [json.dumps(_plain(row)) if row else None for row in self.rescued]
        data.append(pl.Series("_line", self.numbers, pl.Int32))
        data.append(pl.Series("_rescued", rescued, pl.String))
        self.rows, self.numbers, self.rescued = [], [], []
        return pl.DataFrame(data)

    def _column(self, name: str, kind: pl.DataType) -> pl.Series:
        """One field of all rows. What does not fit goes to its row's rescued values."""
        sent = [row.get(name) for row in self.rows]
        numeric = kind == pl.Float64()
        values = _numbers(sent) if numeric else _texts(sent)
        if values is None:
            fit = _number if numeric else _text
            values = [self._fitted(row, name, *fit(value)) for row, value in enumerate(sent)]
        return pl.Series(name, values, kind)

    def _fitted(self, row: int, name: str, fits: bool, value: Any) -> Any:
        """The fitted value; one that does not fit is rescued as it came."""
        if not fits:
            keep_earlier(self.rescued[row], name, self.rows[row][name])
        return value


def _numbers(sent: list[Any]) -> list[Any] | None:
    """A column at once: finite numbers and nulls. None when its values need a look each."""
    kinds = set(map(type, sent))
    if not kinds <= {float, int, NoneType}:
        return None
    try:
        if int in kinds:
            sent = [None if value is None else float(value) for value in sent]
        # One infinity makes the sum one, or no number. Large ones can, too: no harm is done.
        return sent if math.isfinite(sum(filter(None, sent))) else None
    except OverflowError:
        return None


def _texts(sent: list[Any]) -> list[Any] | None:
    """A column at once: storable texts and nulls. None when its values need a look each."""
    if not set(map(type, sent)) <= {str, NoneType}:
        return None
    return None if _UNSTORABLE.search("".join(filter(None, sent))) else sent


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
        fits = not _UNSTORABLE.search(value)
        return fits, value if fits else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False, None
    if isinstance(value, float):
        if not math.isfinite(value):  # 1e999: what was sent is no text we could give back
            return False, None
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
