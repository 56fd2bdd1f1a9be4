"""The fast path: one strict Polars pass over the bytes, and a proof that no key was dropped.

Strict Polars says nothing about a key it does not know, gives NULL for a key that occurs twice in
a line, and turns a number, a bool or a list into text where the field is a string. So before any
cleaning: Σ non-null values + count(``":null``) must equal count(``":``). An escaped quote before a
colon adds the same to both sides or only to the right, so the proof can refuse a good file but
never pass a bad one. Whoever is refused is read line by line instead.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict

import numpy as np
import polars as pl

from pipeline.errors import RefusedByFastPath
from pipeline.fields import TIME_FIELD

#: Bytes counted at a time: they stay in the cache, where arrays as long as the file would not.
BLOCK = 1 << 20

_NULL = re.compile(rb'"((?:[^"\\]|\\.)*)": ?null')


def read(text: bytes, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """Lines as a frame in the order of the file, one row a line.

    ``schema`` is ``fields.json_schema``; the heartbeat comes as text, because devices send it as a
    number, a number with a fraction, or a string. Raises RefusedByFastPath.
    """
    wanted = {**schema, TIME_FIELD: pl.String()}
    try:
        frame = pl.read_ndjson(io.BytesIO(text), schema=wanted)
    except pl.exceptions.PolarsError as error:
        raise RefusedByFastPath(f"strict reader: {_first_line(error)}") from error
    prove(text, frame)
    return frame


def prove(text: bytes, frame: pl.DataFrame) -> None:
    """Raise RefusedByFastPath unless every value of the text is in the frame as it was sent."""
    ends, keys = count(text)
    lines = ends + (not text.endswith(b"\n"))
    if frame.height != lines:  # blank lines are counted elsewhere
        raise RefusedByFastPath(f"{lines} lines but {frame.height} rows")
    present = sum(frame.height - column.null_count() for column in frame.get_columns())
    if present != keys:  # no value comes without its key: only then is there a null to look for
        nulls = count_nulls(text)
        if present + nulls != keys:
            what = f"{keys} keys but {present + nulls} values"
            raise RefusedByFastPath(f"{what}: unknown or repeated")
        if nulls:
            _prove_nulls(text, frame)
    odd = pl.col(pl.String).exclude(TIME_FIELD).str.contains(_NO_TEXT)
    if any(frame.select(odd.any()).row(0)):
        raise RefusedByFastPath("a string field holds something else")


#: What becomes of a bool, a list, an object or NUL where the field is a string.
_NO_TEXT = r"^(?:true$|false$|[\[{])|\x00"


def count(text: bytes) -> tuple[int, int]:
    """How often a line ends, and how often a quote stands before a colon, in JSON text.

    Raises RefusedByFastPath when white space stands between a quote and a colon: such a key would
    not be counted, and could make up for one that was dropped.
    """
    octets = np.frombuffer(text, np.uint8)
    ends, keys = int(text[:1] == b"\n"), 0
    for start in range(1, octets.size, BLOCK):
        block = octets[start : start + BLOCK]
        before = octets[start - 1 : start - 1 + block.size]
        ends += int(np.count_nonzero(block == ord("\n")))
        colon = block == ord(":")
        key = colon & (before == ord('"'))
        keys += int(np.count_nonzero(key))
        elsewhere = np.flatnonzero(colon ^ key)  # in a string, a time of day for one
        if elsewhere.size:
            for at in elsewhere[np.isin(before[elsewhere], _WHITE)] + start:
                if _follows_a_quote(text, int(at)):
                    raise RefusedByFastPath("white space before a colon")
    return ends, keys


_WHITE = list(b" \t\r\n")


def _follows_a_quote(text: bytes, at: int) -> bool:
    """True when only white space, or more of it than we care to look at, parts them."""
    return text[max(0, at - 64) : at].rstrip().endswith(b'"') or text[at - 64 : at].isspace()


def count_nulls(text: bytes) -> int:
    """How often ``null`` stands behind a key, with at most one blank between.

    Raises RefusedByFastPath where other white space stands behind a key's colon.
    """
    octets = np.frombuffer(text, np.uint8)
    keys = np.flatnonzero((octets[1:] == ord(":")) & (octets[:-1] == ord('"'))) + 1
    last = octets.size - 1
    after = octets[np.minimum(keys + 1, last)]
    spaced = np.flatnonzero(after == ord(" "))
    after[spaced] = octets[np.minimum(keys[spaced] + 2, last)]
    if np.isin(after, (ord(" "), ord("\t"), ord("\r"))).any():
        raise RefusedByFastPath("white space after a colon")
    return int(np.count_nonzero(after == ord("n")))


def _prove_nulls(text: bytes, frame: pl.DataFrame) -> None:
    """Raise RefusedByFastPath where a field that was sent as null has a value: it came twice."""
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    sent: dict[bytes, list[int]] = defaultdict(list)
    for match in _NULL.finditer(text):
        sent[match[1]].append(match.start())
    for key, places in sent.items():
        name = key.decode()
        if "\\" in name:
            raise RefusedByFastPath("a key in escapes")
        rows = np.searchsorted(ends, places)
        if name in frame.columns and frame[name].gather(rows).count():
            raise RefusedByFastPath(f"{name} comes twice in a line, once as null")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
