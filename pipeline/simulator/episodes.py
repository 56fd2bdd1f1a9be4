"""The truth about fatigue: what each spell amounted to."""

from __future__ import annotations

from typing import Any

import numpy as np

from .drivers import Person
from .fatigue import Spell
from .scene import Scene
from .seeds import Bool
from .spec import SECONDS

OBSERVED_SHARE = {"microsleep": 0.99, "distraction": 0.99, "drowsy": 0.8, "yawning": 0.8}


def account(scene: Scene, i: int, person: Person, seen: Bool) -> list[dict[str, Any]]:
    """Rows about one unit's spells; those that go on are told again, with more, next hour.

    ``seen``: seconds whose row can be read from the store in the end and shows usable eyes.
    """
    start = scene.starts[i]
    rows = []
    for spell in person.spells:
        if spell.start < start + SECONDS and spell.end > start:
            _add(spell, start, scene.trace.v[i], seen)
            rows.append(_row(scene, i, spell, start + SECONDS))
    # An alarm may sound for some seconds after the eyes are open again.
    person.spells = [s for s in person.spells if s.end + 12 > start + SECONDS]
    return rows


def _add(spell: Spell, start: int, v: Any, seen: Bool) -> None:
    first = max(0, int(spell.start - start))
    last = min(SECONDS, int(np.ceil(spell.end - start)))
    seconds = np.arange(first, last)
    begins = np.maximum(spell.start - start, seconds)
    part = np.clip(np.minimum(spell.end - start, seconds + 1) - begins, 0, 1)
    spell.seconds += float(part.sum())
    spell.seen += float((part * seen[first:last]).sum())
    spell.metres += float((part * v[first:last]).sum())


def _row(scene: Scene, i: int, spell: Spell, end_of_hour: int) -> dict[str, Any]:
    unit = scene.units[i]
    length = spell.end - spell.start
    closed = {"microsleep": length, "drowsy": spell.share * length}.get(spell.kind, 0.0)
    share = closed / length if closed else 1.0
    return {
        "deviceid": unit.deviceid,
        "unitno": unit.unitno,
        "operatorid": unit.crews[spell.crew].operatorid,
        "dstrct_code": unit.district,
        "kind": spell.kind,
        "start": spell.start,
        "end": spell.end,
        "closure_s": round(closed, 3),
        "closed_share": round(spell.share, 4),
        "speed": round(spell.metres / max(spell.seconds, 1e-6) * 3.6, 2),
        "metres": round(spell.metres * share, 2),
        "observed": spell.seen >= OBSERVED_SHARE[spell.kind] * spell.seconds,
        "finished": spell.end <= end_of_hour,
    }
