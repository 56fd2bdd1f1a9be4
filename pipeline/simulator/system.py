"""The device itself: power, boots, storage, processor, cameras, clock."""

from __future__ import annotations

import numpy as np

from .network import backlog
from .scene import Columns, Scene, since_start
from .seeds import Bool


def power_columns(scene: Scene, alive: Bool) -> Columns:
    """``seqno``, ``uptime`` and ``bootcount`` over the seconds in which the device is alive."""
    run = scene.memory.setdefault("seqno", scene.trait("seqno", 4_000, 90_000)[:, 0].round())
    seqno = since_start(alive, np.asarray(run, np.float64))
    scene.memory["seqno"] = np.where(alive[:, -1], seqno[:, -1], 0)
    was = scene.recall("alive", 1.0)[:, None].astype(np.int8)
    boots = np.diff(alive.astype(np.int8), axis=1, prepend=was) == 1
    scene.memory["alive"] = alive[:, -1].astype(np.float32)
    count = scene.recall("boots", scene.trait("boots", 40, 900).round())[:, None]
    total = count + np.cumsum(boots, axis=1)
    scene.memory["boots"] = total[:, -1].astype(np.float32)
    return {
        "seqno": seqno,
        "uptime": seqno + 14,
        "bootcount": total,
    }


def system_columns(
    scene: Scene, up: Bool, waiting: list[list[int]], last: list[int]
) -> Columns:  # fmt: skip
    """Health of the device and its uploads."""
    noise, ones = scene.noise, np.ones_like(scene.air)
    files, acknowledged = backlog(scene, waiting, last)
    ignition = scene.trace.engine
    second = np.arange(3600)
    hangs = (files > 0) & (~up | (files > 1) | (second > 200))
    tries = np.cumsum(hangs & (second % 120 == 7), axis=1)
    errors = scene.recall("upload errors", 0.0)[:, None] + tries
    scene.memory["upload errors"] = errors[:, -1].astype(np.float32)
    free = scene.trait("storage", 42, 180) - 0.004 * files - 0.3 * (np.arange(3600) / 3600)
    drift = scene.noise.wander({"clock": 0.999})["clock"]
    return {
        "uploadbacklog": files,
        "uploadlastok": acknowledged,
        "uploaderrors": errors,
        "storagefree": free,
        "storagehealth": np.maximum(scene.trait("flash", 62, 99) - scene.elapsed * 0.002, 1) * ones,
        "cpuload": np.clip(34 + 18 * ignition + 5 * noise.white("cpu"), 3, 99),
        "memused": np.clip(52 + 6 * drift + scene.trait("memory", -6, 12), 20, 95),
        "canbusload": np.where(ignition, 31 + 2.5 * noise.white("bus"), 4 + 0 * ones),
        "clockoffset": 4.0 * drift,
        "camcabinfps": np.clip(scene.trait("fps", 15, 25) + 0.5 * noise.white("cab"), 8, 30),
        "camfrontfps": np.clip(20 + 0.8 * noise.white("front"), 8, 30),
        "camcabinstatus": ones,
        "camfrontstatus": ones,
        "camcabinblocked": 0 * ones,
        "camrecording": 3 * ones,
    }
