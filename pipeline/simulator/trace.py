"""Diaries laid out second by second: where every unit of a chunk is and what it does."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from .cycles import CODE, Diary, Ground, Segment
from .seeds import F32, F64, Bool
from .spec import SECONDS
from .terrain import STEP, Route

STARTS_MOVING, STOPS_MOVING = 5.0, 3.0  # km/h
STATES = ("off", "idle", "moving")


@dataclass
class Trace:
    """One hour of a chunk, every array of shape (units, 3600)."""

    activity: npt.NDArray[np.uint8]
    engine: Bool
    powered: Bool
    seated: Bool
    crew: npt.NDArray[np.int8]
    v: F32  # m/s
    x: F32
    y: F32
    z: F32
    heading: F32  # rad
    grade: F32
    curvature: F32
    cargo: F32  # share of capacity
    bodyup: Bool

    @staticmethod
    def empty(units: int) -> Trace:
        """Everybody off, nobody signed on."""
        shape = (units, SECONDS)
        kinds: dict[str, Any] = {"activity": np.uint8, "crew": np.int8}
        kinds |= dict.fromkeys(("engine", "powered", "seated", "bodyup"), np.bool_)
        names = [item.name for item in fields(Trace)]
        trace = Trace(**{name: np.zeros(shape, kinds.get(name, np.float32)) for name in names})
        trace.crew -= 1
        return trace

    def doing(self, *names: str) -> Bool:
        """Where the activity is one of ``names``."""
        return np.isin(self.activity, [CODE[name] for name in names])


def lay_out(diaries: list[Diary], grounds: dict[str, Ground], starts: list[int]) -> Trace:
    """The hour from each diary's start (epoch s); they must be planned that far."""
    trace = Trace.empty(len(diaries))
    for row, (diary, start) in enumerate(zip(diaries, starts, strict=True)):
        for segment in diary.segments:
            first = max(segment.start, start) - start
            last = min(segment.start + segment.seconds, start + SECONDS) - start
            if first < last:
                _write(trace, row, slice(first, last), segment, diary, grounds, start)
    return trace


def _write(
    trace: Trace, row: int, span: slice, segment: Segment, diary: Diary,
    grounds: dict[str, Ground], start: int,
) -> None:  # fmt: skip
    t = np.arange(span.start, span.stop) + (start - segment.start)
    trace.activity[row, span] = CODE[segment.activity]
    trace.engine[row, span] = segment.engine
    trace.powered[row, span] = segment.powered
    trace.seated[row, span] = segment.seated
    trace.crew[row, span] = segment.crew
    share = t / segment.seconds
    ground = grounds[diary.unit.district]
    leg = segment.leg
    if leg is None:
        road = ground.terrain.roads[segment.place]
        at = road[-1]
        trace.x[row, span], trace.y[row, span], trace.z[row, span] = at
        trace.heading[row, span] = np.arctan2(at[0] - road[-2][0], at[1] - road[-2][1])
    else:
        route = ground.terrain.route(leg[0], leg[1])
        plan = ground.profile(diary.unit.model, leg)
        s, v = plan.at(t.astype(np.float64), segment.pace, segment.phase)
        share = s / route.s[-1]
        trace.v[row, span] = v
        _place(trace, row, span, route, s)
    cargo, bodyup = _cargo(segment, share, diary.unit.unittype == "water")
    trace.cargo[row, span] = cargo
    trace.bodyup[row, span] = bodyup


def _place(trace: Trace, row: int, span: slice, route: Route, s: F64) -> None:
    """Write position, slope and bend at ``s`` metres of a route."""
    low = np.minimum((s / STEP).astype(np.int64), len(route.s) - 2)
    rest = s / STEP - low
    for name in ("x", "y", "z", "heading", "grade", "curvature"):
        values = getattr(route, name)
        getattr(trace, name)[row, span] = values[low] * (1 - rest) + values[low + 1] * rest


def _cargo(segment: Segment, share: F64, water: bool) -> tuple[F64, Bool]:
    """(load as share of capacity, body raised) by the share of the segment that is behind."""
    down = np.zeros(len(share), np.bool_)
    full = np.full(len(share), segment.cargo)
    if segment.activity == "load":  # in five passes of the shovel
        return segment.cargo * np.floor(share * 5.999) / 5, down
    if segment.activity == "fill":
        return 0.03 + 0.97 * share, down
    if segment.activity == "spray":
        return (1 - 0.5 * share if segment.place != "pond" else 0.5 - 0.47 * share), down
    if segment.activity == "dump":
        left = np.clip((0.62 - share) / 0.22, 0, 1)
        return segment.cargo * left, (share > 0.22) & (share < 0.86)
    if water and segment.activity == "queue":
        return full * 0 + 0.5, down
    return full, down


def states(speed: F32, engine: Bool, before: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """State codes by second: 0 off, 1 idle, 2 moving, from km/h; ``before`` is the last second's.

    Moving begins at 5 km/h and ends below 3, so the state in between depends on what was.
    """
    event = np.where((speed < STOPS_MOVING) | ~engine, -1, np.where(speed >= STARTS_MOVING, 1, 0))
    event = np.concatenate([np.where(before == 2, 1, -1)[:, None], event], axis=1)
    index = np.where(event != 0, np.arange(SECONDS + 1), 0)
    settled = np.take_along_axis(event, np.maximum.accumulate(index, axis=1), axis=1)[:, 1:]
    return np.where(~engine, 0, np.where(settled > 0, 2, 1)).astype(np.uint8)
