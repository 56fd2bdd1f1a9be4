"""All 179 fields of a chunk-hour, rounded to what the bus or the device resolves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.fields import FIELDS, Field

from .dms import ALARMS, DISTRACTIONS
from .scene import Columns, Scene
from .spec import SECONDS

NO_VALUE = -9999
WEARS = ("none", "clear", "sun")
NETS = ("none", "2G", "3G", "4G")
#: Fields that come over the vehicle bus and vanish when it is silent.
BUS = tuple(f.name for f in FIELDS if f.spn is not None)
#: Fields of the cab camera's model of the driver.
CAB = (
    "earleft", "earright", "ear", "earmin", "earbaseline", "eyeclosedfrac", "eyecloseddur",
    "perclos", "blinkrate", "blinkdur", "mar", "yawncount", "headyaw", "headpitch", "headroll",
)  # fmt: skip
#: Counters and coordinates need more digits than float32 has.
DOUBLE = {
    "gpslat", "gpslong", "gpsodometer", "TotalDistance", "HighResTotalDistance", "EngineHours",
    "EngineIdleHours", "TotalFuelUsed", "TripFuelUsed", "IdleFuelUsed", "seqno", "uptime",
    "uploadlastok",
}  # fmt: skip
#: Digits after the point of what the device itself measures; 2 where nothing is said.
DIGITS = {
    "gpslat": 7, "gpslong": 7, "gpsspeed": 2, "gpsodometer": 3, "earleft": 3, "earright": 3,
    "ear": 3, "earmin": 3, "earbaseline": 3, "eyeclosedfrac": 2, "perclos": 3, "blinkdur": 0,
    "blinkrate": 0, "imuaccx": 3, "imuaccy": 3, "imuaccz": 3, "imugyrox": 2, "gpsaltitude": 1,
    "gpsheading": 1, "cpuload": 1, "memused": 1, "canbusload": 1, "cputemp": 1, "netsinr": 1,
    "camcabinfps": 1, "camfrontfps": 1, "headyaw": 1, "headpitch": 1, "headroll": 1,
    "imupitch": 2, "storagefree": 2, "watertanklevel": 1, "gpsfixage": 1, "clockoffset": 2,
}  # fmt: skip


@dataclass
class Table:
    """A chunk-hour as the device writes it: numbers rounded, words as codes into ``words``."""

    numbers: dict[str, npt.NDArray[Any]]
    codes: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)

    def say(self, name: str, codes: npt.NDArray[Any], words: list[str]) -> None:
        """Set a field of words by codes of shape (units, 3600)."""
        self.codes[name] = codes.astype(np.uint16)
        self.words[name] = words

    def frame(self, row: int) -> pl.DataFrame:
        """One unit's 3600 rows in the dictionary's order."""
        columns: list[pl.Series] = []
        for item in FIELDS:
            if item.name in self.codes:
                codes = self.codes[item.name][row]
                words = pl.Series(item.name, self.words[item.name], dtype=pl.String)
                columns.append(words.gather(pl.Series(codes, dtype=pl.UInt32)))
            else:
                columns.append(pl.Series(item.name, self.numbers[item.name][row]))
        return pl.DataFrame(columns)


@cache
def resolution(item: Field) -> tuple[float, float]:
    """(numerator, denominator) of a field's step; the fraction keeps decimals short."""
    if item.type in ("int", "enum"):
        step = 1.0
        if found := re.search(r"Resolution ([\d.]+) ", item.description):
            step = float(found[1])
        return step, 1.0
    if found := re.search(r"Resolution ([\d.]+) ", item.description):
        step = float(found[1])
        for power in (1, 10, 100, 1000):
            if abs(step * power - round(step * power)) < 1e-12:
                return round(step * power), power
        return step, 1.0  # a binary fraction: exact as it is
    return 1.0, 10.0 ** DIGITS.get(item.name, 2)


def rounded(item: Field, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values within the field's limits, in its steps; no-values stay -9999."""
    kind = np.float64 if item.name in DOUBLE else np.float32
    values = np.asarray(values, kind)
    missing = values == NO_VALUE
    top, bottom = resolution(item)
    out: npt.NDArray[Any] = np.clip(values, item.min, item.max)
    np.multiply(out, bottom / top, out=out)
    np.rint(out, out=out)
    np.multiply(out, top, out=out)
    if bottom != 1:
        np.divide(out, bottom, out=out)
    np.add(out, 0.0, out=out)  # no negative zeros
    np.copyto(out, NO_VALUE, where=missing)
    if item.type in ("int", "enum"):
        return out.astype(np.int64 if item.name in DOUBLE else np.int32)
    return out


def table(scene: Scene, columns: Columns, ticks: npt.NDArray[np.int64]) -> Table:
    """Round all numbers; ``ticks`` (units, 3600): heartbeats a second by the firmware then."""
    n = len(scene.units)
    numbers: dict[str, npt.NDArray[Any]] = {}
    for item in FIELDS:
        if item.numeric and item.name != "heartbeat":
            values = np.broadcast_to(columns[item.name], (n, SECONDS))
            numbers[item.name] = rounded(item, values)
    seconds = np.array(scene.starts, np.int64)[:, None] + np.arange(SECONDS)
    numbers["heartbeat"] = seconds * ticks
    return Table(numbers)


def add_words(
    out: Table, scene: Scene, columns: Columns, up: npt.NDArray[np.bool_], versions: list[str],
    updated: npt.NDArray[np.bool_],
) -> None:  # fmt: skip
    """All fields of words. ``versions``: each unit's firmware before and after an update."""
    n = len(scene.units)
    ones = np.zeros((n, SECONDS), np.uint16)
    each = np.arange(n, dtype=np.uint16)[:, None] + ones
    units = scene.units
    out.say("deviceid", each, [u.deviceid for u in units])
    out.say("unitno", each, [u.unitno for u in units])
    out.say("dstrct_code", each, [u.district for u in units])
    out.say("unittype", each, [u.unittype for u in units])
    out.say("fwversion", 2 * each + updated, versions)
    people = [""] + [person.operatorid for u in units for person in u.crews]
    crew = scene.trace.crew.astype(np.int64)
    first = 1 + 3 * np.arange(n)[:, None]
    out.say("operatorid", np.where(crew < 0, 0, first + crew), people)
    by_gps = np.array([[u.by_gps] for u in units]) | (out.numbers["VehicleSpeed"] == NO_VALUE)
    out.say("speedsource", by_gps, ["CAN", "GPS"])
    out.say("clocksource", ones + (columns["gpsfixtype"] < 2), ["GPS", "NTP", "RTC"])
    out.say("alarmtype", columns["alarmtype"].clip(0), list(ALARMS))
    out.say("distraction", _coded(columns["distraction"]), [*DISTRACTIONS, "-9999"])
    out.say("eyewear", np.where(columns["eyewear"] < 0, 3, columns["eyewear"]), [*WEARS, "-9999"])
    out.say("netstatus", up, ["down", "up"])
    power = columns["netrsrp"]
    kind = np.where(~up, 0, np.where(power > -108, 3, np.where(power > -116, 2, 1)))
    out.say("nettype", kind, list(NETS))
    clips, where = np.unique(columns["clip"] * (columns["alarmtype"] > 0), return_inverse=True)
    names = ["" if c <= 0 else f"CL-{int(c)}" for c in clips]
    out.say("clipid", where.reshape(n, SECONDS), names)


def _coded(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.where(values < 0, len(DISTRACTIONS), values)
