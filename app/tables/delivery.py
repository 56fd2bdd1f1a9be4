"""Device-hours, the versions of their files and bad lines, as people read them."""

from __future__ import annotations

import polars as pl

from app.tables.columns import clock, named, spelled, words


def bad(frame: pl.DataFrame) -> pl.DataFrame:
    """Device-hours that are not complete or came late, newest first."""
    look = pl.col("late") | ~pl.col("state").is_in(["complete", "pending", "proven_off"])
    keys = ["hour", "deviceid", "district"]
    return frame.filter(look).sort(keys, descending=[True, False, False])


def cells(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """The same with their causes, in the order given."""
    return named(
        frame,
        {
            "hour": clock("hour_start", zone, "%Y-%m-%d %H:%M"),
            "unit": "unitno",
            "device": "deviceid",
            "status": words("state", "cell"),
            "cause": words("cause", "cause"),
            "confidence": (100 * pl.col("cause_confidence")).round(0),
            "evidence": words("cause_evidence", "evidence"),
            "arrived": clock("arrived_at", zone, "%Y-%m-%d %H:%M"),
            "delay": (pl.col("delay_s") / 60).round(0),
            "lines": "lines",
            "accepted": "accepted",
            "quarantined": "quarantined",
            "district": "district",
            "key": "key",
        },
    )


def versions(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Versions of raw files with the five counts; those replaced are told from the one in use."""
    return named(
        frame,
        {
            "key": "key",
            "status": words("status", "object"),
            "replaced": "replaced",
            "arrived": clock("arrived_at", zone),
            "taken_in": clock("committed_at", zone),
            "lines": "lines",
            "accepted": "accepted",
            "duplicate": "duplicate",
            "quarantined": "quarantined",
            "blank": "blank",
            "overlapped": "overlapped",
            "flags": "flags",
            "error": "error",
            "rules": "rules_version",
            "size": (pl.col("size") / 1000).round(0),
        },
    )


def lines(frame: pl.DataFrame, *, keys: bool = False) -> pl.DataFrame:
    """Bad lines, with the ``keys`` of their files where there are several."""
    start = spelled(frame, ("start_hex", "bytes"), escaped)
    columns: dict[str, str | pl.Expr | pl.Series] = {"key": "key"} if keys else {}
    columns |= {"line": "line", "reason": "reason", "bytes": "bytes", "content": start}
    return named(frame, columns)


def escaped(start_hex: str, length: int) -> str:
    r"""The first bytes of a line, each that is no printable ASCII as ``\x1b``; … if there are more.

    What a device wrote can then neither turn the text around nor hide in it.
    """
    found = bytes.fromhex(start_hex)
    text = "".join(
        chr(byte) if 32 <= byte < 127 and byte != 92 else f"\\x{byte:02x}" for byte in found
    )
    return text if len(found) >= length else f"{text} …"
