"""Lids over one hour: events of any length turned into what a device samples once a second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fatigue import Spell, blink_times
from .fleet import Operator
from .seeds import F32, F64, Bool
from .spec import SECONDS


@dataclass
class Lids:
    """Per second: how far and how long the eyes were shut. Depth is the share of EAR lost."""

    mean_depth: F32
    last_depth: F32  # at the end of the second, what a snapshot sees
    most_depth: F32
    closed: F32  # share of the second fully closed
    running: F32  # s of the closure still running at the end of the second
    blinks: F32  # blinks that began
    blink_seconds: F32
    pitch: F32  # glances and nods, degrees
    yaw: F32


@dataclass
class _Events:
    """Intervals [start, end) in s of the hour, ``depth`` of EAR lost, full closures marked."""

    start: F64
    end: F64
    depth: F64
    full: Bool
    blink: Bool

    def take(self, keep: Bool) -> _Events:
        return _Events(
            self.start[keep], self.end[keep], self.depth[keep], self.full[keep], self.blink[keep]
        )

    def clear_of(self, others: _Events) -> Bool:
        """Which of these keep 80 ms distance from every other (both sorted, not overlapping)."""
        if not len(others.start):
            return np.ones(len(self.start), np.bool_)
        after = np.searchsorted(others.start, self.start)
        before_end = np.concatenate([[-1e9], others.end])[after]
        next_start = np.concatenate([others.start, [1e9]])[after]
        return (self.start > before_end + 0.08) & (self.end < next_start - 0.08)


def _events(start: F64, length: F64, depth: F64, full: bool, blink: bool) -> _Events:
    order = np.argsort(start)
    start, end, depth = start[order], (start + length)[order], depth[order]
    if len(start) > 1:
        alone = np.concatenate([[True], start[1:] > np.maximum.accumulate(end)[:-1] + 0.05])
        start, end, depth = start[alone], end[alone], depth[alone]
    flags = np.ones(len(start), np.bool_)
    return _Events(start, end, depth, flags & full, flags & blink)


def _merge(first: _Events, second: _Events) -> _Events:
    """``first`` wins where they meet."""
    second = second.take(second.clear_of(first))
    joined = [np.concatenate([getattr(first, n), getattr(second, n)]) for n in first.__dict__]
    order = np.argsort(joined[0])
    return _Events(*(column[order] for column in joined))


def simulate(rng: np.random.Generator, person: Operator, spells: list[Spell], start: int) -> Lids:
    """The lids of one person over the hour from ``start``; gaps in the seat are cut elsewhere."""
    sleeps = [s for s in spells if s.kind == "microsleep"]
    events = _events(
        np.array([s.start - start for s in sleeps]),
        np.array([s.end - s.start for s in sleeps]),
        rng.uniform(0.72, 0.88, len(sleeps)),
        full=True,
        blink=False,
    )
    drowsy = [s for s in spells if s.kind == "drowsy"]
    for s in drowsy:
        begin, end = max(0.0, s.start - start), min(float(SECONDS), s.end - start)
        at, length = blink_times(rng, person, begin, end, s.share)
        events = _merge(events, _lids(rng, at, length))
    at, length = blink_times(rng, person, 0, SECONDS, None)
    for s in drowsy:
        calm = (at + length < s.start - start) | (at > s.end - start)
        at, length = at[calm], length[calm]
    glances = int(rng.poisson(person.glances))
    down = rng.random(glances) < 0.7
    when, span = rng.uniform(0, SECONDS - 4, glances), rng.gamma(5, 0.2, glances).clip(0.4, 3)
    looks = _events(when, span, np.where(down, rng.uniform(0.22, 0.5, glances), 0.08), False, False)
    events = _merge(events, looks)
    partial = int(rng.poisson(30))
    squints = _events(
        rng.uniform(0, SECONDS - 2, partial), rng.uniform(0.2, 1.0, partial),
        rng.uniform(0.25, 0.5, partial), False, False,
    )  # fmt: skip
    events = _merge(_merge(events, squints), _lids(rng, at, length))
    lids = _sample(events)
    _turn_head(rng, lids, when, span, down, spells, start)
    return lids


def _lids(rng: np.random.Generator, at: F64, length: F64) -> _Events:
    return _events(at, length, rng.uniform(0.72, 0.86, len(at)), full=True, blink=True)


def _sample(events: _Events) -> Lids:
    edges = np.stack([events.start, events.end], axis=1).ravel()
    span = events.end - events.start
    marks = np.arange(SECONDS + 1, dtype=np.float64)

    def per_second(weight: F64) -> F32:
        area = np.cumsum(np.stack([np.zeros(len(span)), span * weight], axis=1).ravel())
        if not len(edges):
            return np.zeros(SECONDS, np.float32)
        return np.asarray(np.diff(np.interp(marks, edges, area)), np.float32)

    ends = marks[1:] - 1e-6
    which = np.searchsorted(events.start, ends, side="right") - 1
    inside = (which >= 0) & (ends < np.append(events.end, -1)[which])
    full = np.append(events.full, False)[which]
    depth = np.append(events.depth, 0)[which]
    running = np.where(inside & full, marks[1:] - np.append(events.start, 0)[which], 0)
    first = np.clip(events.start, 0, SECONDS - 1).astype(np.int64)
    last = np.clip(events.end, 0, SECONDS - 1).astype(np.int64)
    most = np.zeros(SECONDS)
    np.maximum.at(most, first, events.depth)
    np.maximum.at(most, last, events.depth)
    for i in np.flatnonzero(last - first > 1):
        most[first[i] : last[i]] = np.maximum(most[first[i] : last[i]], events.depth[i])
    blinks, seconds = np.zeros(SECONDS), np.zeros(SECONDS)
    np.add.at(blinks, first[events.blink], 1)
    np.add.at(seconds, first[events.blink], span[events.blink])
    empty = np.zeros(SECONDS, np.float32)
    return Lids(
        mean_depth=per_second(events.depth),
        last_depth=(inside * depth).astype(np.float32),
        most_depth=most.astype(np.float32),
        closed=np.clip(per_second(events.full.astype(np.float64)), 0, 1),
        running=running.astype(np.float32),
        blinks=blinks.astype(np.float32),
        blink_seconds=seconds.astype(np.float32),
        pitch=empty.copy(),
        yaw=empty.copy(),
    )


def _turn_head(
    rng: np.random.Generator, lids: Lids, when: F64, span: F64, down: Bool,
    spells: list[Spell], start: int,
) -> None:  # fmt: skip
    """Head angles of glances (down to the dials, sideways to a mirror), nods and distraction."""
    side = rng.choice([-1.0, 1.0], len(when)) * rng.uniform(24, 42, len(when))
    drop = -rng.uniform(10, 24, len(when))
    for begin, length, low, yaw, pitch in zip(when, span, down, side, drop, strict=True):
        part = slice(int(begin), max(int(begin) + 1, round(begin + length)))
        if low:
            lids.pitch[part] = pitch
        else:
            lids.yaw[part] = yaw
    for spell in spells:
        part = slice(max(0, int(spell.start - start)), max(0, int(np.ceil(spell.end - start))))
        if spell.kind == "microsleep":
            lids.pitch[part] -= spell.nod
        elif spell.kind == "distraction":
            lids.yaw[part] += 48 if int(spell.start) % 2 else -48
