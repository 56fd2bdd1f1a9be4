"""The fast path: one strict Polars pass over the bytes, and a proof that no key was dropped.

Strict Polars says nothing about a key it does not know, gives NULL for a key that occurs twice in
a line, and turns a number, a bool or a list into text where the field is a string. So before any
cleaning: Σ non-null values + count(``":null``) must equal count(``":``). An escaped quote before a
colon adds the same to both sides or only to the right, so the proof can refuse a good file but
never pass a bad one. Whoever is refused is read line by line instead.
"""

from __future__ import annotations

import io

import numpy as np
import polars as pl

from pipeline.errors import RefusedByFastPath
from pipeline.fields import TIME_FIELD


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
    octets = np.frombuffer(text, np.uint8)
    lines = np.count_nonzero(octets == ord("\n")) + (not text.endswith(b"\n"))
    if frame.height != lines:  # blank lines are counted elsewhere
        raise RefusedByFastPath(f"{lines} lines but {frame.height} rows")
    prove(text, frame)
    return frame


def prove(text: bytes, frame: pl.DataFrame) -> None:
    """Raise RefusedByFastPath unless every value of the text is in the frame as it was sent."""
    keys = count_keys(text)
    present = sum(frame.height - column.null_count() for column in frame.get_columns())
    # No value comes without its key, so where they are as many there is no null to look for.
    nulls = count_nulls(text) if present != keys else 0
    if present + nulls != keys:
        raise RefusedByFastPath(f"{keys} keys but {present + nulls} values: unknown or repeated")
    strings = pl.col(pl.String).exclude(TIME_FIELD)
    odd = strings.str.contains(r"^[\[{]") | strings.is_in(["true", "false"])
    odd = odd | strings.str.contains("\x00", literal=True)
    if any(frame.select(odd.any()).row(0)):
        raise RefusedByFastPath("a string field holds something else")


def count_keys(text: bytes) -> int:
    """How often a quote stands before a colon in JSON text.

    Raises RefusedByFastPath when white space stands between a quote and a colon: such a key would
    not be counted, and could make up for one that was dropped.
    """
    octets = np.frombuffer(text, np.uint8)
    colon = octets == ord(":")
    elsewhere = colon[1:] & (octets[:-1] != ord('"'))
    for at in np.flatnonzero(elsewhere) + 1:  # in a string, a time of day for one
        before = text[at - 1]
        if before in b" \t\r\n" and _follows_a_quote(text, int(at)):
            raise RefusedByFastPath("white space before a colon")
    return int(np.count_nonzero(colon)) - int(np.count_nonzero(elsewhere)) - bool(colon[:1].any())


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


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]
