"""What became of every device-hour, and why it is missing, against what really happened.

An hour of which nothing was delivered is *proven off* when the unit stood with its engine off and
the counters, as they were read on both sides, can show it. Where no reading follows yet, or the
engine ran elsewhere between the two, they prove nothing: then *missing* is as right. What a file
lacks at an end beside which no row has come yet cannot be known either, nor what it lacks before a
restart, with which the row counter begins anew: *complete* is as right as *partial*.

Causes go by the same rule. An hour that is proven off may be called parked, whatever became of its
file. Of a silence that has not ended only its beginning can be explained: for its later hours the
cause of the first one is as right, and a file that was lost looks like one that still waits.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl

from pipeline.simulator.hour import REBOOT
from pipeline.simulator.spec import SECONDS
from tests.accuracy.marts import CAUSES
from tests.accuracy.statistics import wilson
from tests.accuracy.truth import MOVING, OFF, Bool, Truth

#: Seconds after an hour's start until which it is pending.
PENDING = 3 * SECONDS
COMPLETE = 0.99
#: Engine seconds that the hour meter (0.05 h) need not show.
UNSEEN = 183
CONFIDENCE = (0.0, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True)
class Facts:
    """What really happened in a device-hour; ``gap_on``: None where a side has no reading."""

    delivered: bool
    corrupt: bool = False
    rows: int = 0
    alive: int = SECONDS  # seconds in which the device had power …
    between: int = SECONDS  # … and rows on both sides, of one boot
    on: int = 0  # seconds with the engine on …
    moved: int = 0  # … and moving
    gap_on: int | None = None  # engine seconds in the whole stretch without readings around it
    age: int = 10 * SECONDS  # from its start to the look
    cause: str = ""
    began: str | None = None  # in a silence that has not ended: the cause of its first hour


@dataclass(frozen=True)
class Answer:
    """What the marts say of a device-hour."""

    state: str | None
    cause: str = "unknown"
    confidence: float | None = None


@dataclass(frozen=True)
class Hour:
    """Both."""

    facts: Facts
    answer: Answer

    @property
    def right(self) -> bool:
        """Whether the state is one that may be told."""
        return self.answer.state in states(self.facts)

    @property
    def breach(self) -> bool:
        """A unit that moved is called parked."""
        parked = self.answer.state == "proven_off" or self.answer.cause == "parked"
        return parked and self.facts.moved > 0 and not self.facts.delivered

    @property
    def missing(self) -> bool:
        """Whether there is something to explain."""
        return not self.facts.delivered and self.facts.age >= PENDING

    @property
    def explained(self) -> bool:
        """Whether the cause is right."""
        return self.answer.cause in causes(self.facts)


def states(facts: Facts) -> tuple[str, ...]:
    """The states that may rightly be told; the first one names the hour in tables."""
    if facts.corrupt:
        return ("corrupt",)
    if facts.delivered:
        if facts.rows >= COMPLETE * facts.alive:
            return ("complete",)
        return ("partial", "complete") if facts.rows >= COMPLETE * facts.between else ("partial",)
    if facts.age < PENDING:
        return ("pending",)
    if facts.moved or facts.on > UNSEEN:
        return ("missing",)
    if facts.on == 0 and facts.gap_on == 0:
        return ("proven_off",)
    return ("missing", "proven_off")


def causes(facts: Facts) -> tuple[str, ...]:
    """The causes that may rightly be told; the first one is the class. () : none is asked for."""
    known = _named(facts.cause)
    if not known:
        return ()
    found = [known]
    # A device without power in a unit that stood: nobody can tell one from the other.
    if facts.on == 0 and (facts.cause == "device_off" or states(facts) == ("proven_off",)):
        found.append("parked")
    if facts.began is not None:
        found.append(_named(facts.began))
        if facts.cause == "lost_on_device":
            found.append("stuck_backlog")
    # none of this makes a unit that moved a parked one
    return tuple(
        cause for cause in dict.fromkeys(found) if cause and (cause != "parked" or not facts.moved)
    )


def _named(cause: str) -> str:
    return {"device_off": "lost_on_device", "pending": ""}.get(cause, cause)


def hours(
    truth: Truth, device_hours: pl.DataFrame, told: pl.DataFrame, seen: pl.DataFrame, now: float
) -> list[Hour]:
    """Every simulated device-hour that began before ``now`` (epoch s).

    ``device_hours`` is the truth as of then, ``told`` and ``seen`` are the marts' hours and the
    visible seconds, with whether the counters were ``read`` in them.
    """
    answers = {(row["deviceid"], row["start"]): _answer(row) for row in told.to_dicts()}
    visible, updates = by_device(truth, seen), truth.updates()
    hidden = before_restarts(truth, seen)
    read = by_device(truth, seen.filter("read"))
    last = {device: _last_hour(rows) for device, rows in visible.items()}
    began = {
        row["deviceid"]: row["cause"]
        for row in device_hours.to_dicts()
        if row["second"] == last[row["deviceid"]] + SECONDS
    }
    found = []
    for row in device_hours.to_dicts():
        start = truth.spec.epoch + row["second"]
        if start < now:
            away = REBOOT if (row["deviceid"], row["second"] // SECONDS) in updates else 0
            rows = [arrays[row["deviceid"]] for arrays in (visible, read, hidden)]
            facts = _facts(truth, *rows, row, int(now) - start, away)
            if row["second"] > last[row["deviceid"]]:
                facts = replace(facts, began=began[row["deviceid"]])
            found.append(Hour(facts, answers.get((row["deviceid"], start), Answer(None))))
    return found


def _last_hour(visible: Bool) -> int:
    """Second from the run's start at which the hour of the last visible row begins."""
    rows = np.flatnonzero(visible)
    return int(rows[-1]) // SECONDS * SECONDS if len(rows) else -SECONDS


def by_device(truth: Truth, seen: pl.DataFrame) -> dict[str, Bool]:
    """Which seconds of the run have a visible row."""
    found = {device: np.zeros(len(state), np.bool_) for device, state in truth.state.items()}
    for (device,), rows in seen.group_by("deviceid"):
        index = rows["second"].to_numpy() - truth.spec.epoch
        if device in found:
            found[str(device)][index[(index >= 0) & (index < len(found[str(device)]))]] = True
    return found


def before_restarts(truth: Truth, seen: pl.DataFrame) -> dict[str, Bool]:
    """Seconds without a row before a restart: whether the device had power no counter tells."""
    hidden = {device: np.zeros(len(state), np.bool_) for device, state in truth.state.items()}
    for (device,), rows in seen.sort("second").group_by("deviceid"):
        if device in hidden:
            index = (rows["second"] - truth.spec.epoch).to_list()
            boots, counts = rows["boot"].to_list(), rows["row"].to_list()
            for i in range(1, len(index)):
                if boots[i] != boots[i - 1] and None not in (boots[i], boots[i - 1], counts[i]):
                    began = index[i] - counts[i] + 1  # the first row of a boot is 1
                    hidden[str(device)][max(0, index[i - 1] + 1) : max(0, began)] = True
    return hidden


def _answer(row: dict[str, str | float | None]) -> Answer:
    state, cause, confidence = row["state"], row["cause"], row["cause_confidence"]
    word = CAUSES.get(cause, str(cause))  # type: ignore[arg-type]
    if state == "proven_off" and word == "unknown":
        word = "parked"
    return Answer(str(state), word, None if confidence is None else float(confidence))


def _facts(
    truth: Truth,
    visible: Bool,
    read: Bool,
    hidden: Bool,
    row: dict[str, object],
    age: int,
    away: int,
) -> Facts:
    """``away``: seconds that an update took the device away for, which are no loss."""
    device, first = str(row["deviceid"]), int(str(row["second"]))
    part = slice(first, first + SECONDS)
    state = truth.state[device]
    rows, alive = int(str(row["rows"])), int(truth.alive[device][part].sum())
    seen = np.flatnonzero(visible)
    closed = slice(max(first, seen[0]), min(part.stop, seen[-1] + 1)) if len(seen) else part
    return Facts(
        delivered=bool(row["delivered"]),
        corrupt=row["status"] == "corrupt",
        rows=rows,
        alive=max(rows, alive - away),
        between=max(rows, int((truth.alive[device] & ~hidden)[closed].sum()) - away),
        on=int((state[part] != OFF).sum()),
        moved=int((state[part] == MOVING).sum()),
        gap_on=gap_on(state != OFF, read, first),
        age=age,
        cause=str(row["cause"]),
    )


def gap_on(on: Bool, read: Bool, first: int) -> int | None:
    """Engine seconds between the readings on both sides of an hour; None if a side has none."""
    before = np.flatnonzero(read[:first])
    after = np.flatnonzero(read[first + SECONDS :])
    if not len(before) or not len(after):
        return None
    return int(on[before[-1] + 1 : first + SECONDS + after[0]].sum())


def exact(found: Sequence[Hour]) -> float | None:
    """Share of device-hours whose state is right."""
    return sum(hour.right for hour in found) / len(found) if found else None


def macro_recall(found: Iterable[Hour]) -> float | None:
    """Mean over the causes that occurred of the share that was recognised."""
    shares = [right / n for right, n in by_cause(found).values()]
    return sum(shares) / len(shares) if shares else None


def by_cause(found: Iterable[Hour]) -> dict[str, tuple[int, int]]:
    """cause → (recognised, all) of missing hours."""
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for hour in found:
        if hour.missing and causes(hour.facts):
            every[causes(hour.facts)[0]] += 1
            right[causes(hour.facts)[0]] += hour.explained
    return {cause: (right[cause], n) for cause, n in sorted(every.items())}


def state_rows(found: Iterable[Hour]) -> list[tuple[str, ...]]:
    """For a table: what was right, what was told, how often."""
    pairs = Counter((states(hour.facts), hour.answer.state, hour.right) for hour in found)
    return [
        (" or ".join(right), state or "no row", f"{n:,}", "" if good else "WRONG")
        for (right, state, good), n in sorted(pairs.items(), key=str)
    ]


def cause_rows(found: Iterable[Hour]) -> list[tuple[str, ...]]:
    """For a table: each cause, how many hours, how many recognised, what was told instead."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    found = list(found)
    for hour in found:
        if hour.missing and causes(hour.facts) and not hour.explained:
            told[causes(hour.facts)[0]][hour.answer.cause] += 1
    return [
        (
            cause,
            f"{n:,}",
            f"{right / n:.3f}",
            "{:.3f}–{:.3f}".format(*wilson(right, n)),
            ", ".join(f"{word} {times}" for word, times in told[cause].most_common()),
        )
        for cause, (right, n) in by_cause(found).items()
    ]


def calibration_rows(found: Iterable[Hour]) -> list[tuple[str, ...]]:
    """For a table: stated confidence against the share that was right."""
    asked = [
        (hour.answer.confidence, hour.explained)
        for hour in found
        if hour.missing and causes(hour.facts) and hour.answer.confidence is not None
    ]
    rows: list[tuple[str, ...]] = []
    for low, high in pairwise(CONFIDENCE):
        own = [x for x in asked if low <= x[0] < high or x[0] == high == CONFIDENCE[-1]]
        if own:
            right, n = sum(good for _, good in own), len(own)
            stated = sum(said for said, _ in own) / n
            limits = "{:.3f}–{:.3f}".format(*wilson(right, n))
            rows.append(
                (f"{low:g}–{high:g}", f"{n:,}", f"{stated:.3f}", f"{right / n:.3f}", limits)
            )
    return rows
