"""What really happened in one run, as arrays by device and second from the run's start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from pipeline.simulator import SimSpec
from pipeline.simulator.fleet import FIRMWARE, ROLLED_OUT
from pipeline.simulator.spec import SECONDS
from pipeline.simulator.state import world
from pipeline.simulator.trace import STATES

Bool = npt.NDArray[np.bool_]
OFF, IDLE, MOVING = range(len(STATES))
UNKNOWN = len(STATES)
NAMES = (*STATES, "unknown")

#: What a release samples: means with closure data, or snapshots.
SAMPLING = {f.version: "closure" if f.mean else "snapshot" for f in (*FIRMWARE, ROLLED_OUT)}
MIXED = "mixed"  # the hour of an update


@dataclass
class Truth:
    """``state``: codes of ``STATES``. ``alive``: seconds in which the device itself had power.

    ``signalled``: codes of ``NAMES``. While the vehicle's bus is silent nothing tells an engine
    that idles from one that is off, and without GPS nothing tells that it moves: *unknown*, by
    definition.
    """

    spec: SimSpec
    state: dict[str, npt.NDArray[np.uint8]]
    signalled: dict[str, npt.NDArray[np.uint8]]
    alive: dict[str, Bool]
    unitno: dict[str, str]
    hours: pl.DataFrame
    episodes: pl.DataFrame

    def second(self, moment: float) -> int:
        """Index of an epoch second."""
        return int(moment) - self.spec.epoch

    def sampling(self) -> dict[tuple[str, int], str]:
        """(device, number of the hour) → snapshot, closure or, where it changed, mixed."""
        updates = self.updates()
        rows = self.hours.select("deviceid", "second", "fwversion").rows()
        return {
            (device, at): MIXED if (device, at) in updates else SAMPLING[version]
            for device, start, version in rows
            for at in [start // SECONDS]
        }

    def updates(self) -> set[tuple[str, int]]:
        """(device, number of the hour) in which it restarted with new firmware."""
        new = self.hours.filter(pl.col("fwversion") == ROLLED_OUT.version)
        first = new.group_by("deviceid").agg(pl.col("second").min() // SECONDS)
        return set(first.rows())


def read(folder: Path, spec: SimSpec) -> Truth:
    """All of it, as of the last delivery."""
    paths = sorted((folder / "truth").glob("states-*.parquet"))
    seconds = pl.concat(pl.read_parquet(path) for path in paths).sort("deviceid", "ts")
    code = pl.col("state").replace_strict(list(STATES), range(len(STATES)), return_dtype=pl.UInt8)
    state, alive, unitno = {}, {}, {}
    for (device,), rows in seconds.group_by("deviceid", maintain_order=True):
        state[str(device)] = rows.select(code).to_series().to_numpy()
        alive[str(device)] = rows["powered"].to_numpy()
        unitno[str(device)] = rows["unitno"][0]
    alive = {
        device: powered & ~_during(folder, "device_off", device, spec, len(powered))
        for device, powered in alive.items()
    }
    signalled = {}
    for device, codes in state.items():
        silent, lost = (
            _during(folder, kind, device, spec, len(codes)) for kind in ("bus_down", "gps_loss")
        )
        hidden = silent & ((codes == IDLE) | (lost & (codes == MOVING)))
        signalled[device] = np.where(hidden, UNKNOWN, codes).astype(np.uint8)
    return Truth(spec, state, signalled, alive, unitno, hours(folder, spec), episodes(folder))


def hours(folder: Path, spec: SimSpec) -> pl.DataFrame:
    """Device-hours as of the last delivery; ``second``: their start from the run's."""
    frame = pl.read_parquet(folder / "truth" / "device_hours.parquet")
    start = pl.col("hour_start").dt.epoch("s")
    return frame.with_columns((start - spec.epoch).alias("second")).sort("deviceid", "second")


def episodes(folder: Path) -> pl.DataFrame:
    """Spells of fatigue and distraction, in epoch seconds."""
    frame = pl.read_parquet(folder / "truth" / "episodes.parquet")
    return frame.with_columns(pl.col("start", "end").dt.epoch("us") / 1e6)


def open_ear(spec: SimSpec) -> dict[str, float]:
    """Every operator's EAR with open eyes: the simulator alone knows it."""
    crews = (operator for unit in world(spec).units for operator in unit.crews)
    return {operator.operatorid: operator.open_ear for operator in crews}


def _during(folder: Path, kind: str, device: str, spec: SimSpec, length: int) -> Bool:
    """The seconds of a run in which a device had a fault of that kind."""
    frame = pl.read_parquet(folder / "truth" / "faults.parquet")
    moments = [pl.col(name).dt.epoch("s") - spec.epoch for name in ("start", "end")]
    own = frame.filter((pl.col("kind") == kind) & (pl.col("deviceid") == device))
    found = np.zeros(length, np.bool_)
    for start, end in own.select(moments).rows():
        found[max(0, start) : max(0, end)] = True
    return found
