"""All that the accuracy run asks of the marts. When they change, this module does, alone."""

from __future__ import annotations

import polars as pl

from queries.connect import Reader, mart_columns

#: What a cause is called in the marts → the word used here. ``None``: no cause is given.
CAUSES = {
    "parked": "parked",
    "off": "parked",
    "parked_off": "parked",
    "proven_off": "parked",
    "no_coverage": "no_coverage",
    "lost_on_device": "lost_on_device",
    "device_off": "lost_on_device",
    "stuck_backlog": "stuck_backlog",
    "our_failure": "our_failure",
    "unknown": "unknown",
    "": "unknown",
    None: "unknown",
}
#: Kinds that eyes are evidence of, and the evidence that is the device's word alone.
EYES = ("microsleep", "drowsy")
DEVICE = "device"


def has(mart: str, column: str) -> bool:
    """Whether a mart has a column yet."""
    return column in {name for name, _ in mart_columns()[mart]}


def _optional(mart: str, column: str, kind: str) -> str:
    return column if has(mart, column) else f"NULL::{kind} AS {column}"


def hours(reader: Reader) -> pl.DataFrame:
    """deviceid, start (epoch s), state, cause, cause_confidence of every device-hour."""
    return reader.contract(
        "SELECT deviceid, epoch(hour_start)::BIGINT AS start, state,"
        f" {_optional('device_hour', 'cause', 'VARCHAR')},"
        f" {_optional('device_hour', 'cause_confidence', 'DOUBLE')} FROM device_hour"
    )


def minutes(reader: Reader) -> pl.DataFrame:
    """unitno, start (epoch s), seconds by state and with eyes seen, of every minute."""
    return reader.contract(
        "SELECT unitno, epoch(minute)::BIGINT AS start, seconds, moving_s, idle_s, off_s,"
        " unknown_s, eyes_valid_s, blind_moving_s FROM unit_minute"
    )


def cases(reader: Reader) -> pl.DataFrame:
    """Fatigue cases from started to ended (epoch s)."""
    return reader.contract(
        "SELECT c.unitno, c.deviceid, c.operatorid, c.kind, c.evidence, c.closure_s,"
        f" c.{'closed_share' if has('fatigue_case', 'closed_share') else 'NULL::DOUBLE'} AS share,"
        " epoch(c.started_at) AS started, epoch(c.ended_at) AS ended FROM fatigue_case AS c"
    )


def episodes(reader: Reader) -> pl.DataFrame:
    """Fatigue episodes that eyes are the evidence of; ``row_seen``: seen in the first second.

    A second in which no eye can be judged, whoever sits there: camera down or blocked, nobody
    there, face lost, sunglasses. ``row_seen`` is NULL where the second has no row at all.
    """
    return reader.contract(
        "SELECT e.kind, e.evidence, t.camcabinstatus = 1 AND coalesce(t.camcabinblocked, 0) = 0"
        " AND t.driverpresent = 1 AND t.faceconf >= 0.6"
        " AND coalesce(t.eyewear, 'none') <> 'sun' AS row_seen"
        " FROM fatigue_episode AS e LEFT JOIN telemetry AS t"
        " ON t.deviceid = e.deviceid AND t.ts = e.started_at"
        f" WHERE e.kind IN {EYES} AND e.evidence <> '{DEVICE}'"
    )


def crews(reader: Reader) -> pl.DataFrame:
    """unitno, start (epoch s), operatorid of every minute: who sat there last in it."""
    return reader.contract(
        "SELECT unitno, epoch(time_bucket(INTERVAL 1 MINUTE, ts))::BIGINT AS start,"
        " arg_max(operatorid, ts) AS operatorid FROM telemetry"
        " WHERE operatorid IS NOT NULL GROUP BY ALL"
    )


def seconds(reader: Reader) -> pl.DataFrame:
    """deviceid, second (epoch), read, boot, row: visible rows of which figures are made.

    None of a file with a wrong checksum. ``read``: the hour meter was read in it; it comes over the
    vehicle's bus, which sleeps. ``boot`` and ``row``: the device's counters.
    """
    return reader.contract(
        "SELECT t.deviceid, floor(epoch(t.ts))::BIGINT AS second,"
        " bool_or(t.EngineHours IS NOT NULL) AS read,"
        " max(t.bootcount)::BIGINT AS boot, min(t.seqno)::BIGINT AS row"
        " FROM telemetry AS t LEFT JOIN raw_objects AS o ON o.id = t._src"
        " WHERE coalesce(o.flags, '') NOT LIKE '%crc%' GROUP BY ALL"
    )
