"""Child processes and the ends of their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from pipeline.flow import Flow
from pipeline.pool import Pool
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger

ENDS_BY_FORCE = """
import os
from pipeline.pool import Pool
if __name__ == "__main__":
    pool = Pool(1)
    pool.submit(int, "7").result()
    os._exit(0)
"""


def test_a_child_that_is_still_waking_up_survives_ctrl_c() -> None:
    with Pool(1) as pool:
        waiting = pool.submit(int, "7")
        for pid in list(pool._processes):
            os.kill(pid, signal.SIGINT)
        assert waiting.result(60) == 7


def test_a_parent_that_must_end_at_once_says_nothing(tmp_path: Path) -> None:
    """As a worker does whose work outlasts its time to stop."""
    script = tmp_path / "main.py"
    script.write_text(ENDS_BY_FORCE)
    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # its output ends when the tracker, which has it too, has ended
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("pool", ["readers", "mergers"])
def test_a_flow_that_is_stopped_waits_for_none_of_its_children(
    settings: Settings, ledger: Ledger, pool: str
) -> None:
    flow = Flow(settings, ledger)
    work = getattr(flow, pool).submit(time.sleep, 60)
    while not work.running():  # before that it could be cancelled
        time.sleep(0.01)
    with pytest.raises(KeyboardInterrupt), flow:
        raise KeyboardInterrupt
    assert isinstance(work.exception(), BrokenProcessPool)
