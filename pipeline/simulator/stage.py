"""The simulator's own folder, ``{out}/.simulator``: files on their way, memory, journal.

An hour is simulated into ``stage/{hour}`` and counts once the journal says so; a half-done hour
is made again, with the same bytes. Files move to ``raw`` by rename, with their time already set.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import block, state
from .block import Block
from .spec import SimSpec


@dataclass
class Journal:
    """Hours simulated, and the moment (epoch s) up to which arrivals lie in ``raw``."""

    generated: int = 0
    delivered_until: int = 0
    #: Where a delivery was heading; set before its first rename, so that a crash can be ended.
    delivering_until: int = 0
    #: Hours whose arrivals were looked at; a later hour's may be due before ``delivered_until``.
    released: int = 0


def write_atomically(path: Path, data: bytes) -> None:
    """Write under a hidden name, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_bytes(data)
    draft.replace(path)


def home(out: Path) -> Path:
    """The simulator's own folder."""
    return out / ".simulator"


def staged(out: Path, hour: int, unit: int, version: int) -> Path:
    """Where an upload waits for its arrival."""
    return home(out) / "stage" / str(hour) / f"{unit}-{version}.gz"


def load_journal(spec: SimSpec, out: Path) -> Journal:
    """The journal of this folder. Raises ValueError when it belongs to another simulation."""
    path = home(out) / "journal.json"
    if not path.exists():
        return Journal()
    known = json.loads(path.read_text())
    if known["spec"] != spec.identity():
        raise ValueError(f"{out} holds another simulation: {known['spec']}")
    return Journal(**known["journal"])


def save_journal(spec: SimSpec, out: Path, journal: Journal) -> None:
    """One atomic write: what it says is so."""
    content = {"spec": spec.identity(), "journal": asdict(journal)}
    write_atomically(home(out) / "journal.json", json.dumps(content, indent=1).encode())


def _memory(out: Path, chunk: int, hour: int) -> Path:
    return home(out) / "memory" / f"{chunk}-{hour}.pickle"


def fill(spec: SimSpec, out: Path, chunk: int, hour: int) -> Block:
    """Simulate a chunk-hour into the stage; returns its truth, without the bytes."""
    world = state.world(spec)
    indices = world.chunks()[chunk]
    if hour:
        with _memory(out, chunk, hour).open("rb") as file:
            carried: state.ChunkState = pickle.load(file)  # noqa: S301 - our own file
    else:
        carried = state.begin(world, indices)
    made = block.run(world, indices, hour, carried)
    for upload in made.uploads:
        path = staged(out, hour, upload.unit, upload.version)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(upload.data)
        os.utime(path, (upload.arrived_at, upload.arrived_at))
        upload.data = b""
    write_atomically(_memory(out, chunk, hour + 1), pickle.dumps(carried))
    return made


def forget(out: Path, chunks: int, hour: int) -> None:
    """Drop memory that no hour needs any more: all before ``hour``."""
    for chunk in range(chunks):
        _memory(out, chunk, hour - 1).unlink(missing_ok=True)


def sweep(out: Path, hour: int) -> None:
    """Remove empty stages before ``hour``; a later one may just be filled."""
    root = home(out) / "stage"
    for path in root.iterdir() if root.is_dir() else ():
        if int(path.name) < hour:
            with contextlib.suppress(OSError):  # not empty: something is still to arrive
                path.rmdir()


def clear(out: Path, hour: int) -> None:
    """Remove what a broken run left of hours from ``hour`` on."""
    root = home(out) / "stage"
    for path in root.iterdir() if root.is_dir() else ():
        if int(path.name) >= hour:
            shutil.rmtree(path)


def release(out: Path, target: Path, upload: dict[str, Any]) -> None:
    """Move an upload to ``raw``; done already if a run that was killed had come so far."""
    source = staged(out, upload["index"], upload["unit"], upload["version"])
    if source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
