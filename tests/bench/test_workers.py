"""Several workers on one PostgreSQL ledger: no file twice, and more of them take in more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from pipeline.settings import load
from pipeline.simulator import SimSpec, simulate
from pipeline.storage import tables as t
from pipeline.storage.ledger import open_ledger
from pipeline.verify import verify
from tests.bench.lakes import START
from tests.bench.measure import ROOT, environment
from tests.postgres import PostgreSQL

UNITS = 100


@pytest.mark.long
def test_more_workers_take_in_more(tmp_path: Path, postgresql: PostgreSQL) -> None:
    """Each has one process that reads; on two cores two are about twice as fast, four no slower."""
    raw = tmp_path / "fleet" / "raw"
    simulate(SimSpec(UNITS, 1, START, 1), raw.parent)
    files = len(list(raw.glob("*/*/*/*.txt.gz")))
    seconds = {}
    for workers in (1, 2, 4, 1, 2, 4):
        url = postgresql.database()
        took = together(tmp_path / f"home-{len(seconds)}-{workers}", raw, url, workers, files)
        seconds[workers] = min(took, seconds.get(workers, took))
    print({workers: round(took, 1) for workers, took in seconds.items()}, "seconds", files, "files")
    assert seconds[1] / seconds[2] >= 1.5
    assert seconds[2] / seconds[4] >= 0.85


def together(home: Path, raw: Path, url: str, workers: int, files: int) -> float:
    """So many workers at one backlog; seconds from the first start of work to the last end."""
    own = {"HAULWATCH_LEDGER": url, "HAULWATCH_RAW": str(raw), "HAULWATCH_THREADS": "1"}
    own |= {"HAULWATCH_BATCH_FILES": "8", "HAULWATCH_HOME": str(home)}
    env = environment(home.parent, **own)
    command = [sys.executable, "-m", "app.cli", "ingest", "--json"]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(workers)
    ]
    done = [process.communicate(timeout=500) for process in started]
    assert [process.returncode for process in started] == [0] * workers, done
    taken = [json.loads(out)["files"]["ok"] for out, _ in done]
    assert sum(taken) == files
    assert sum(files > 0 for files in taken) >= min(workers, 2), taken
    settings = load(home=home, raw=str(raw), ledger=url)
    ledger = open_ledger(settings)
    with ledger.read() as connection:
        o, r = t.raw_objects.c, t.runs.c
        query = select(func.count(), func.count(o.key.distinct()))
        assert tuple(connection.execute(query).one()) == (files, files)
        query = select(func.min(r.started_at), func.max(r.ended_at)).where(r.kind == "ingest")
        first, last = connection.execute(query).one()
    checked = verify(ledger, settings)
    assert checked.ok, checked.breaches
    ledger.close()
    return float(last - first) / 1e6
