"""One hour of one chunk of units: from what was, to bytes, truth and what will be."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from . import damage, faults, network
from .episodes import account
from .fleet import Unit
from .hour import Rows, signals
from .seeds import Bool, stream
from .spec import SECONDS
from .state import ChunkState, World

#: Damage that makes a file less than complete.
READ_AMISS = ("torn", "torn_resent", "malformed", "clock", "crc", "empty")


@dataclass
class Upload:
    """An object version on its way: bytes and truth about them."""

    unit: int
    index: int  # number of the hour
    hour: str
    version: int
    arrived_at: int  # epoch s
    data: bytes
    lines: int = 0
    bad_lines: int = 0
    blank_lines: int = 0
    rows: int = 0
    overlap: int = 0  # rows of the hour before that it repeats
    kind: str = ""

    def counted(
        self, lines: int, bad: int, blank: int, rows: int, overlap: int, kind: str
    ) -> Upload:
        """With what can be read of it."""
        return replace(
            self, lines=lines, bad_lines=bad, blank_lines=blank, rows=rows, overlap=overlap,
            kind=kind,
        )  # fmt: skip


@dataclass
class HourTruth:
    """What happened to one unit in one hour."""

    unit: int
    index: int
    hour: str
    start: int
    powered: int
    produced: int
    cause: str
    fwversion: str
    state: npt.NDArray[np.uint8]
    power: Bool


@dataclass
class Block:
    """The result of a chunk-hour."""

    hours: list[HourTruth] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    episodes: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)


def run(world: World, indices: list[int], hour: int, state: ChunkState) -> Block:
    """Simulate one hour; ``state`` is brought forward in place."""
    rows = signals(world, [world.units[i] for i in indices], hour, state)
    block = Block()
    for i in range(len(indices)):
        _close(world, i, hour, rows, state, block)
    return block


def _close(world: World, i: int, hour: int, rows: Rows, state: ChunkState, block: Block) -> None:
    """Turn one unit's rows into uploads and note the truth about them."""
    spec, unit, start = world.spec, rows.scene.units[i], rows.scene.starts[i]
    kept, name = rows.kept[i], world.path_hour(unit.district, rows.scene.starts[i])
    powered = rows.scene.trace.powered[i]
    kind = damage.kind_of(spec.seed, unit.index, start, spec.severity) if kept.any() else ""
    before, folds = state.folded.pop(unit.index, b""), _comes_twice(world, unit, hour, name)
    if before or folds:
        kind = ""
    tail = state.tails.pop(unit.index, [])
    if kind == "overlap" and not tail:
        kind = ""
    moment, delay = network.arrival(
        spec.seed, spec.severity, unit, start + SECONDS, state.faults[i].get("stuck")
    )
    sent: list[damage.Version] = []
    if kept.any():
        text = before + _text(rows, i, spec.seed)
        if folds:
            state.folded[unit.index] = text
        rng = stream(spec.seed, "damage", unit.index, start)
        _remember_tail(world, i, hour, kind, text, state, rows)
        if kind != "lost":
            sent = damage.versions(text, kept, kind, tail if kind == "overlap" else [], rng)
    repeated = len(tail) if kind == "overlap" else 0
    again = before.count(b"\n")
    for number, version in enumerate(sent):
        upload = Upload(unit.index, hour, name, number, moment + version.delay, version.data)
        counts = (version.lines + again, version.bad, version.blank, version.rows + again)
        block.uploads.append(upload.counted(*counts, repeated, version.kind))
    if sent:
        state.waiting[i].append(moment)
    _settle_uploads(state, i, start + SECONDS)
    cause = _cause(rows, i, kind, delay)
    block.hours.append(
        HourTruth(
            unit=unit.index,
            index=hour,
            hour=name,
            start=start,
            powered=int(powered.sum()),
            produced=int(kept.sum()),
            cause=cause,
            state=rows.state[i],
            power=powered,
            fwversion=rows.release.firmware[i][1].version,
        )
    )
    block.faults += [
        {"unit": unit.index, "kind": fault, "start": begin, "end": end}
        for fault, (begin, end) in state.faults[i].items()
    ]
    readable = sent[-1].readable if sent else np.zeros(SECONDS, np.bool_)
    block.episodes += account(rows.scene, i, state.people[i], rows.eyes[i] & kept & readable)


def _comes_twice(world: World, unit: Unit, hour: int, name: str) -> bool:
    """Where clocks go back, the next hour has the same name: its upload holds both."""
    following = world.hour_start(unit.district, hour + 1)
    return world.path_hour(unit.district, following) == name


def _text(rows: Rows, i: int, seed: int) -> bytes:
    """The unit's lines; an update in the middle changes which fields they have."""
    frame, buffer = rows.out.frame(i), io.BytesIO()
    done = rows.release.done[i]
    for firmware, part in zip(rows.release.firmware[i], (~done, done), strict=True):
        mask = rows.kept[i] & part
        if not mask.any():
            continue
        own = frame.filter(pl.Series(mask)).drop(sorted(firmware.lacks))
        if firmware.adds:
            new = faults.new_fields(own.height, seed, rows.scene.units[i], rows.scene.starts[i])
            own = own.with_columns([pl.Series(n, v) for n, v in new.items()])
        own.write_ndjson(buffer)
    return buffer.getvalue()


def _remember_tail(
    world: World, i: int, hour: int, kind: str, text: bytes, state: ChunkState, rows: Rows
) -> None:
    """Keep the last lines when the next hour's file will repeat them; this one must be whole."""
    spec, unit = world.spec, rows.scene.units[i]
    following = world.hour_start(unit.district, hour + 1)
    if kind == "" and damage.kind_of(spec.seed, unit.index, following, spec.severity) == "overlap":
        seconds = int(rows.kept[i][-damage.OVERLAP :].sum())
        if seconds:
            state.tails[unit.index] = text.split(b"\n")[-1 - seconds : -1]


def _settle_uploads(state: ChunkState, i: int, end: int) -> None:
    """Arrivals up to the end of the hour are acknowledged and no longer waiting."""
    arrived = [t for t in state.waiting[i] if t <= end]
    state.last_upload[i] = max([state.last_upload[i], *arrived])
    state.waiting[i] = [t for t in state.waiting[i] if t > end]


def _cause(rows: Rows, i: int, kind: str, delay: str) -> str:
    """Why rows are missing, torn or late: the one reason that explains most; '' where none is."""
    powered = rows.scene.trace.powered[i]
    off = rows.mask["device_off"][i] & powered
    nothing = not rows.kept[i].any()
    reasons = (
        ("parked", not powered.any()),
        ("device_off", nothing and off.any()),
        ("lost_on_device", nothing or kind == "lost"),
        (delay, delay != ""),
        (kind, kind in READ_AMISS),
        ("device_off", off.any()),
        ("lost_on_device", (rows.mask["card_gap"][i] & powered).any()),
        ("firmware_update", (rows.release.rebooting[i] & powered).any()),
    )
    return next((reason for reason, holds in reasons if holds), "")
