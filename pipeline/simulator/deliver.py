"""A simulation in a folder: hours are made and their files arrive, as far as is asked for.

Everything is resumable. Bytes depend on the spec alone, so an hour that was interrupted is made
again; an interrupted delivery is ended first.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import fleet, stage, terrain, workers
from .spec import SECONDS, SimSpec
from .state import world
from .truth import Truth

#: No file of an hour arrives sooner after the hour's end.
SOONEST = 20

Progress = Callable[[int, int], None]


class Simulation:
    """A fleet whose files arrive in ``{out}/raw``, with the truth in ``{out}/truth*``.

    ``processes`` bounds the child processes (default: 2, or fewer cores); 1 means none. Children
    are spawned, so a script that calls this needs the usual ``if __name__ == "__main__"``.
    Raises ValueError when the folder holds another simulation.
    """

    def __init__(self, spec: SimSpec, out: Path, *, processes: int | None = None) -> None:
        self.spec, self.out, self.processes = spec, Path(out), processes
        self.world = world(spec)
        self._journal = stage.load_journal(spec, self.out)
        self._truth = Truth(self.world, self.out)
        self._truth.load(self._journal.generated)

    def deliver(
        self,
        until: datetime | None = None,
        *,
        hours: int | None = None,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Let everything arrive that is due by ``until`` (None: everything); returns the summary.

        ``hours`` extends the simulation beyond ``spec.hours``. Files appear in the order of their
        arrival, hour by hour for the whole fleet; ``truth.json`` is right after each hour.
        """
        total = self.spec.hours if hours is None else hours
        limit = None if until is None else int(until.timestamp())
        self._begin()
        last = total if limit is None else (limit - SOONEST - self.spec.epoch) // SECONDS
        self._simulate(min(total, last), total, limit, progress)
        return self._arrive(self._truth.last_arrival() if limit is None else limit)

    def _begin(self) -> None:
        """Register and terrain, and the end of a delivery that was cut off."""
        self.out.mkdir(parents=True, exist_ok=True)
        day = datetime.fromtimestamp(self.spec.epoch, UTC).date().isoformat()
        text = fleet.register(self.world.units, day)
        stage.write_atomically(self.out / "register.csv", text.encode())
        every = [f for g in self.world.grounds.values() for f in terrain.features(g.terrain)]
        shapes = json.dumps({"type": "FeatureCollection", "features": every})
        stage.write_atomically(self.out / "terrain.geojson", shapes.encode())
        stage.clear(self.out, self._journal.generated)
        unfinished = self._journal.released < self._journal.generated
        if unfinished or self._journal.delivering_until > self._journal.delivered_until:
            self._arrive(self._journal.delivering_until)

    def _simulate(
        self, last: int, total: int, limit: int | None, progress: Progress | None
    ) -> None:
        """Make hours up to ``last``; the next one is begun while the truth of one is written."""
        chunks = len(self.world.chunks())
        hour = self._journal.generated
        if hour >= last:
            return
        runner = workers.runner(self.processes, chunks)
        try:
            begun = self._submit(runner, chunks, hour)
            while begun:
                blocks = [pickle.loads(job.result()) for job in begun]  # noqa: S301 - our own
                begun = self._submit(runner, chunks, hour + 1) if hour + 1 < last else []
                self._truth.add(hour, blocks)
                hour += 1
                self._journal.generated = hour
                stage.save_journal(self.spec, self.out, self._journal)
                mark = self.spec.epoch + (hour + 1) * SECONDS
                self._arrive(mark if limit is None else min(mark, limit))
                stage.forget(self.out, chunks, hour)
                if progress:
                    progress(hour * self.spec.units, total * self.spec.units)
        finally:
            runner.close()

    def _submit(self, runner: workers.Runner, chunks: int, hour: int) -> list[Future[bytes]]:
        return [runner.submit((self.spec, self.out, chunk, hour)) for chunk in range(chunks)]

    def _arrive(self, until: int) -> dict[str, Any]:
        """Move what arrives by ``until`` to ``raw`` and publish the truth as of then."""
        until = max(until, self._journal.delivered_until)
        self._journal.delivering_until = until
        stage.save_journal(self.spec, self.out, self._journal)
        for upload in self._truth.due(self._journal, until):
            unit = self.world.units[upload["unit"]]
            folder = self.out / "raw" / unit.district / unit.deviceid / upload["hour"]
            stage.release(self.out, folder / f"{upload['hour']}.txt.gz", upload)
        self._journal.delivered_until = until
        self._journal.released = self._journal.generated
        stage.sweep(self.out, self._journal.generated)
        stage.save_journal(self.spec, self.out, self._journal)
        return self._truth.publish(until, self._journal.generated)


def simulate(
    spec: SimSpec, out: Path, progress: Progress | None = None, processes: int | None = None
) -> dict[str, Any]:
    """The whole simulation with all its arrivals; returns the summary of the truth."""
    return Simulation(spec, out, processes=processes).deliver(progress=progress)
