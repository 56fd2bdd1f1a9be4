"""What the cab camera says about the person at the wheel.

Second by second for one unit and hour: eyes as the firmware samples them, mouth, head, and what
the *device* believes about fatigue, which is often right and sometimes not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import dms, eyes
from .cycles import on_duty, shift_of
from .fatigue import Spell, rate, settle, spells
from .fleet import Operator, Unit
from .scene import Columns
from .seeds import F32, AnyArray, Bool, stream
from .spec import SECONDS

SUN_UP = (7, 17)  # local hours between which sunglasses are worn


@dataclass
class View:
    """One unit's hour as the models of the cab need it; arrays of length 3600."""

    seed: int
    unit: Unit
    start: int  # epoch s
    local: int  # local epoch s of the start
    crew: AnyArray
    at_wheel: Bool
    v: F32
    mean_eyes: Bool  # the firmware samples means, not snapshots
    moods: dict[str, F32]  # wandering noise: ear, yaw, pitch, roll
    grain: F32  # noise of single frames
    fps: float


@dataclass
class Person:
    """What a unit's cab carries from hour to hour."""

    spells: list[Spell]
    closed: F32  # last 60 s
    blinks: F32
    blink_seconds: F32
    yawns: F32  # last 600 s
    seat_seconds: int = 0  # since sign-on
    crew: int = -1

    @staticmethod
    def new() -> Person:
        """An empty cab."""
        minute = np.zeros(60, np.float32)
        return Person([], minute, minute.copy(), minute.copy(), np.zeros(600, np.float32))


def tire(view: View, person: Person, scale: float) -> None:
    """Add this hour's new spells to what is still going on."""
    rng = stream(view.seed, "fatigue", view.unit.index, view.start)
    shift = shift_of(view.local)
    night = on_duty(shift)[1]
    hours = person.seat_seconds / 3600 + 0.5
    per_hour = rate(view.local // 3600 % 24, hours, night) * scale
    fresh = spells(rng, view.start, view.at_wheel, view.v > 2, per_hour)
    for spell in fresh:
        second = int(spell.start - view.start)
        spell.crew = int(view.crew[min(second, SECONDS - 1)])
    person.spells = settle(person.spells + fresh)
    for spell in person.spells:  # whoever leaves the seat takes the fatigue along
        first = max(0, int(spell.start - view.start))
        gone = np.flatnonzero(~view.at_wheel[first:] | (view.crew[first:] != spell.crew))
        if len(gone):
            spell.end = min(spell.end, float(view.start + first + gone[0]))
    person.spells = [s for s in person.spells if s.end > s.start + 0.5]


def watch(view: View, person: Person) -> tuple[Columns, Bool]:
    """(columns of length 3600, where eyes are usable) of one unit's hour."""
    columns: Columns = {}
    usable = np.zeros(SECONDS, np.bool_)
    present = [int(c) for c in np.unique(view.crew[view.at_wheel])]
    for crew in present:
        mask = view.at_wheel & (view.crew == crew)
        own = [s for s in person.spells if s.crew == crew]
        made, seen = _one(view, person, view.unit.crews[crew], own, mask)
        for name, values in made.items():
            if name not in columns:
                columns[name] = np.full(SECONDS, -9999, np.float32)
            columns[name][mask] = values[mask]
        usable |= seen & mask
    _clock_in(view, person)
    return columns, usable


def _clock_in(view: View, person: Person) -> None:
    last = int(view.crew[-1])
    same = view.crew == last
    person.seat_seconds = int(same.sum()) + (person.seat_seconds if last == person.crew else 0)
    person.crew = last


def _one(
    view: View, person: Person, operator: Operator, own: list[Spell], mask: Bool
) -> tuple[Columns, Bool]:
    rng = stream(view.seed, "cab", view.unit.index, view.start, operator.operatorid)
    lids = eyes.simulate(rng, operator, own, view.start)
    sunny = SUN_UP[0] <= view.local // 3600 % 24 < SUN_UP[1]
    shaded = operator.eyewear == "sun" and sunny
    confidence = _confidence(rng, shaded)
    usable = (confidence >= 0.6) & (not shaded)
    columns = _eye_columns(view, operator, lids, confidence, shaded)
    columns |= _windows(person, lids, columns, mask)
    columns |= _face_columns(rng, view, person, own, lids)
    columns["faceconf"] = confidence
    columns["driverpresent"] = np.ones(SECONDS, np.float32)
    wear = {"none": 0, "clear": 1, "sun": 2 if sunny else 0}[operator.eyewear]
    columns["eyewear"] = np.full(SECONDS, wear, np.float32)
    is_new = person.crew != view.unit.crews.index(operator)
    known = np.cumsum(mask) > (150 if is_new else 0)
    level = operator.open_ear + stream(view.seed, "level", operator.operatorid).normal(0, 0.006)
    columns["earbaseline"] = np.where(known, level, -9999).astype(np.float32)
    columns |= dms.believe(view, own, usable)
    return columns, usable


def _confidence(rng: np.random.Generator, shaded: bool) -> F32:
    """Tracking confidence, with spells of a few to forty seconds in which it is lost."""
    level = 0.72 if shaded else 0.91
    values = level + 0.03 * rng.standard_normal(SECONDS, np.float32)
    for _ in range(int(rng.poisson(2.0))):
        begin = int(rng.integers(SECONDS))
        values[begin : begin + int(rng.uniform(5, 40))] -= float(rng.uniform(0.38, 0.65))
    return np.asarray(np.clip(values, 0.05, 0.99), np.float32)


def _eye_columns(
    view: View, operator: Operator, lids: eyes.Lids, confidence: F32, shaded: bool
) -> Columns:
    """EAR as sampled: the mean averages the frames' noise away, a snapshot keeps it all."""
    slow = 0.75 * operator.noise * view.moods["ear"]
    frame = 0.66 * operator.noise * view.grain
    lost = confidence < 0.6
    if shaded:  # the frame of the glasses is tracked, not the lid
        slow = 0.22 - 0.5 * operator.open_ear + 2.4 * slow
        lids.closed[:], lids.running[:] = 0, 0
        shrink = 0.5
    else:
        shrink = 1.0
    base = operator.open_ear * shrink
    depth = np.where(view.mean_eyes, lids.mean_depth, lids.last_depth)
    fine = np.where(view.mean_eyes, 0.25, 1.0) * frame
    ear = base * (1 - depth) + slow + np.where(lost, 4.0, 1.0) * fine
    ear = np.where(lost, ear - 0.05 * np.abs(view.grain), ear)
    lowest = base * (1 - lids.most_depth) + slow - 1.1 * operator.noise * 0.66
    uneven = 0.004 * (view.unit.index % 5 - 2)
    closed = np.round(lids.closed * view.fps) / view.fps
    return {
        "ear": np.clip(ear, 0.02, 0.58),
        "earleft": np.clip(ear + uneven + 0.2 * frame, 0.02, 0.59),
        "earright": np.clip(ear - uneven - 0.2 * frame, 0.02, 0.59),
        "earmin": np.clip(np.minimum(lowest, ear), 0.01, 0.58),
        "eyeclosedfrac": np.where(lost, 0, closed).astype(np.float32),
        "eyecloseddur": np.where(lost, 0, lids.running).astype(np.float32),
    }


def _windows(person: Person, lids: eyes.Lids, columns: Columns, mask: Bool) -> Columns:
    """Sliding sums over the last minute, going on from the hour before."""

    def last_minute(name: str, values: F32) -> F32:
        seen = np.where(mask, values, 0).astype(np.float32)
        joined = np.concatenate([getattr(person, name), seen])
        setattr(person, name, joined[-60:].copy())
        total = np.cumsum(joined, dtype=np.float64)
        return (total[60:] - total[:-60]).astype(np.float32)

    blinks = np.round(last_minute("blinks", lids.blinks))
    seconds = last_minute("blink_seconds", lids.blink_seconds)
    return {
        "perclos": np.clip(last_minute("closed", columns["eyeclosedfrac"]) / 60, 0, 1),
        "blinkrate": np.clip(blinks, 0, 60),
        "blinkdur": np.clip(seconds / np.maximum(blinks, 1) * 1000, 0, 999),
    }


def _face_columns(
    rng: np.random.Generator, view: View, person: Person, own: list[Spell], lids: eyes.Lids
) -> Columns:
    """Mouth and head. A yawn lasts 4 to 6 s; talking opens the mouth less."""
    mar = 0.10 + 0.02 * np.abs(view.grain) + 0.16 * (view.moods["talk"] > 1.4) * np.abs(view.grain)
    starts = list(rng.uniform(0, SECONDS - 8, int(rng.poisson(0.4))))
    for spell in own:
        if spell.kind == "yawning":
            begin, end = spell.start - view.start, min(spell.end - view.start, SECONDS - 8)
            mine = stream(view.seed, "yawns", view.unit.index, int(spell.start))
            starts += [t for t in np.arange(begin, end, mine.uniform(60, 110)) if t >= 0]
    yawned = np.zeros(SECONDS, np.float32)
    for begin in starts:
        second = int(begin)
        mar[second : second + int(rng.uniform(4, 7))] = rng.uniform(0.68, 0.95)
        yawned[second] += 1
    joined = np.concatenate([person.yawns, yawned])
    person.yawns = joined[-600:].copy()
    total = np.cumsum(joined, dtype=np.float64)
    seat = stream(view.seed, "posture", view.unit.crews[0].operatorid)
    return {
        "mar": np.clip(mar, 0, 1.2).astype(np.float32),
        "yawncount": (total[600:] - total[:-600]).round().astype(np.float32),
        "headyaw": np.clip(seat.normal(0, 3) + 2.2 * view.moods["yaw"] + lids.yaw, -88, 88),
        "headpitch": np.clip(seat.normal(-4, 3) + 1.8 * view.moods["pitch"] + lids.pitch, -88, 88),
        "headroll": np.clip(seat.normal(0, 1.5) + 1.5 * view.moods["roll"], -60, 60),
    }
