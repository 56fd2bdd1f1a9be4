"""The device's own driver monitoring: late, sometimes blind, sometimes wrong.

Its rules are those of a product we do not know, invented here; nothing else may rely on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .fatigue import Spell
from .scene import Columns
from .seeds import Bool, stream
from .spec import SECONDS

if TYPE_CHECKING:
    from .drivers import View

ALARMS = ("none", "microsleep", "drowsy", "yawn", "distraction", "nodriver")
DISTRACTIONS = ("none", "away", "phone", "smoke")


def believe(view: View, own: list[Spell], usable: Bool) -> Columns:
    """Alarm kind, alarm lamp, level, distraction class and clip time, from true spells."""
    alarm = np.zeros(SECONDS, np.float32)
    level = np.zeros(SECONDS, np.float32)
    class_ = np.zeros(SECONDS, np.float32)
    clip = np.zeros(SECONDS, np.float64)

    def sound(kind: str, begin: float, seconds: float) -> None:
        first, last = int(begin - view.start), int(begin + seconds - view.start)
        part = slice(max(0, first), max(0, last))
        alarm[part] = ALARMS.index(kind)
        clip[part] = int(begin)

    for spell in own:
        rng = stream(view.seed, "dms", view.unit.index, int(spell.start * 10))
        second = int(np.clip(spell.start - view.start, 0, SECONDS - 1))
        if not usable[second]:
            continue
        _react(view, rng, spell, level, class_, sound)
    rng = stream(view.seed, "false alarm", view.unit.index, view.start)
    if rng.random() < 0.012:  # a long look at the dials taken for sleep
        begin = view.start + float(rng.uniform(0, SECONDS))
        sound("microsleep", begin, 4)
        level[int(begin - view.start) : int(begin - view.start) + 4] = 3
    return {
        "alarmtype": alarm,
        "dmsalarm": np.isin(alarm, (1, 2)).astype(np.float32),
        "fatiguelevel": level,
        "distraction": class_,
        "clip": clip,
    }


def _react(view, rng, spell, level, class_, sound) -> None:  # type: ignore[no-untyped-def]
    first, last = spell.start - view.start, spell.end - view.start
    sharp = 0.88 if view.mean_eyes[0] else 0.6
    if spell.kind == "microsleep":
        wakes = 1.6 + float(rng.uniform(0, 0.9))
        if spell.end - spell.start > wakes and rng.random() < sharp:
            sound("microsleep", spell.start + wakes, float(rng.uniform(3, 6)))
            level[max(0, int(first + wakes)) : max(0, int(last + 3))] = 3
    elif spell.kind == "drowsy" and rng.random() < sharp:
        part = level[max(0, int(first + 120)) : max(0, int(last))]
        part[:] = np.maximum(part, 1)
        part = level[max(0, int(first + 300)) : max(0, int(last))]
        part[:] = np.maximum(part, 2)
        if rng.random() < 0.6:
            sound("drowsy", spell.start + 320, 5)
    elif spell.kind == "yawning" and rng.random() < 0.5:
        sound("yawn", spell.start + 200, 3)
    elif spell.kind == "distraction" and rng.random() < 0.75:
        kind = 2 if rng.random() < 0.2 else 1
        class_[max(0, int(first + 1)) : max(0, int(last))] = kind
        sound("distraction", spell.start + 2.5, 3)
