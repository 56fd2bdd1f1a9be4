"""Every kind of damage: what is told of a file equals what can be read of it."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from pipeline.simulator import damage
from pipeline.simulator.seeds import stream
from tests.simulator.recount import epoch_us, unpack

START = 1_769_810_400
LATEST = START + 3600 + 86_400


def text(tick: int, kept: np.ndarray) -> bytes:
    lines = [
        json.dumps({"heartbeat": (START + int(s)) * tick, "deviceid": "HW-1", "cpuload": 3.5,
                    "note": "x" * 250}, separators=(",", ":"))
        for s in np.flatnonzero(kept)
    ]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("tick", [1, 10**9])
@pytest.mark.parametrize("kind", [k for k in damage.KINDS if k != "lost"])
def test_what_is_told_is_what_can_be_read(kind: str, tick: int) -> None:
    kept = np.ones(3600, bool)
    kept[400:900] = False
    tail = [b'{"heartbeat":%d,"deviceid":"HW-1"}' % ((START - n) * tick) for n in (2, 1)]
    for attempt in range(2):
        rng = stream(attempt, kind)
        found = damage.versions(text(tick, kept), kept, kind, tail, rng)
        assert len(found) == (2 if kind in ("resent", "torn_resent") else 1)
        for version in found:
            pieces = unpack(version.data).split(b"\n")
            pieces = pieces[:-1] if pieces[-1] == b"" else pieces
            times = [epoch_us(p, LATEST) for p in pieces if p.strip()]
            seconds = {t // 10**6 - START for t in times if t is not None}
            own = {s for s in seconds if s >= 0}
            assert version.lines == len(pieces)
            assert version.bad == sum(t is None for t in times)
            assert version.blank == len(pieces) - len(times)
            assert version.rows == len(own)
            assert own == set(np.flatnonzero(version.readable).tolist())
            assert len(seconds) - len(own) == (2 if kind == "overlap" else 0)


def test_damage_does_what_its_name_says() -> None:
    kept = np.ones(3600, bool)
    plain = text(1, kept)

    def one(kind: str) -> damage.Version:
        return damage.versions(plain, kept, kind, [], stream(1, kind))[0]

    assert gzip.decompress(one("").data) == plain
    with pytest.raises(EOFError):
        gzip.decompress(one("torn").data)
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(one("crc").data)
    assert one("empty").data == b""
    assert one("malformed").bad > 0
    assert one("clock").bad >= 30
    assert one("duplicates").lines > one("duplicates").rows
    assert one("blank").blank > 0
    first, second = damage.versions(plain, kept, "torn_resent", [], stream(1, "x"))
    assert first.rows < second.rows == 3600
    assert second.delay > 0


def test_faults_are_as_frequent_as_stated() -> None:
    kinds = [damage.kind_of(1, unit, 3600 * k, 1.0) for unit in range(100) for k in range(200)]
    share = 1 - kinds.count("") / len(kinds)
    assert share == pytest.approx(sum(damage.KINDS.values()), rel=0.15)
    assert {*kinds} == {"", *damage.KINDS}
    assert not any(damage.kind_of(1, unit, 0, 0.0) for unit in range(1000))
