"""Cases of fatigue against true spells: recall, false cases per observed hour, and for whom.

A spell counts for recall when the truth says it could be observed, its seconds were delivered and
the unit moved throughout (a drowsy one: within some five minutes for four). A case is a hit when
it overlaps a spell of its kind, and false when it overlaps no true closure of 1.5 s and no drowsy
spell, observed or not. What only the device's alarm opened is neither.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tests.accuracy.marts import DEVICE, EYES
from tests.accuracy.statistics import ratio_low

#: Rows stamp a second by its start or end: so far apart may a case and its spell be, s.
SLACK = 2.0
#: Cases of one unit closer than this are one (s): a spell this far from others stands alone.
MERGED = 300.0
#: A closure of 1.5 s, less one frame of a camera that takes 20 a second: nobody sees finer.
LEAST_CLOSURE = 1.45
BINS = ((1.5, 2.0), (2.0, 3.0), (3.0, 5.0), (5.0, 99.0))
DROWSY_SECONDS, DROWSY_SHARE = 600.0, 0.15
SNAPSHOT_SECONDS, CLOSURE_SECONDS = 5.0, 2.0


@dataclass(frozen=True)
class Spell:
    """Something true: a closure (kind microsleep) or a drowsy spell, in epoch s.

    ``counts``: it could have been found. ``alone``: no other is near enough to be merged with it.
    """

    device: str
    operator: str
    kind: str
    start: float
    end: float
    share: float = 0.0
    sampling: str = "closure"
    counts: bool = True
    alone: bool = True

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.start


@dataclass(frozen=True)
class Case:
    """What the marts opened; ``share`` where closed share is part of its evidence."""

    device: str
    operator: str
    kind: str
    evidence: str
    start: float
    end: float
    share: float | None = None
    sampling: str = "closure"

    @property
    def own(self) -> bool:
        """Opened by evidence from eyes, not by the device's word alone."""
        return self.kind in EYES and self.evidence != DEVICE

    @property
    def drowsy(self) -> bool:
        """Closed share is among its evidence."""
        return self.own and (self.kind == "drowsy" or self.share is not None)


@dataclass
class Watched:
    """Spells, cases and observed moving hours, of one run or of many."""

    spells: list[Spell] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    by_sampling: dict[str, float] = field(default_factory=dict)  # hours
    by_operator: dict[str, float] = field(default_factory=dict)
    blind_starts: int = 0

    def add(self, other: Watched) -> None:
        """Take in another run's."""
        self.spells += other.spells
        self.cases += other.cases
        for mine, theirs in (
            (self.by_sampling, other.by_sampling),
            (self.by_operator, other.by_operator),
        ):
            for name, hours in theirs.items():
                mine[name] = mine.get(name, 0.0) + hours
        self.blind_starts += other.blind_starts


Wanted = Callable[[Spell], bool]


def closure(low: float, high: float = 99.0, sampling: str | None = None) -> Wanted:
    """Closures of a length, of one kind of firmware or of both."""
    return lambda spell: (
        spell.kind == "microsleep"
        and low <= spell.seconds < high
        and sampling in (None, spell.sampling)
    )


def drowsy(spell: Spell) -> bool:
    """Long and heavy enough to be expected."""
    return (
        spell.kind == "drowsy" and spell.seconds >= DROWSY_SECONDS and spell.share >= DROWSY_SHARE
    )


def drowsy_of(sampling: str) -> Wanted:
    """The same, of one kind of firmware."""
    return lambda spell: drowsy(spell) and spell.sampling == sampling


SNAP = closure(SNAPSHOT_SECONDS, sampling="snapshot")
FRAC = closure(CLOSURE_SECONDS, sampling="closure")
#: Every spell that a goal asks for, by how hard it is to find.
EXPECTED = (SNAP, FRAC, drowsy_of("snapshot"), drowsy_of("closure"))


def expected(spell: Spell) -> bool:
    """Any spell that a goal asks for."""
    return any(wanted(spell) for wanted in EXPECTED)


def touches(one: Spell | Case, other: Spell | Case) -> bool:
    """Same device, overlapping but for the slack."""
    return (
        one.device == other.device
        and one.start <= other.end + SLACK
        and other.start <= one.end + SLACK
    )


class Matched:
    """Spells and cases of many runs, each with what it overlaps."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        cases, spells = _by_device(watched.cases), _by_device(watched.spells)
        self.found = {s for s in watched.spells if any(hit(s, c) for c in cases[s.device])}
        self.false = [c for c in watched.cases if c.own and is_false(c, spells[c.device])]

    def recall(self, wanted: Wanted) -> tuple[int, int]:
        """(found, all) of the spells that count."""
        own = [spell for spell in self.watched.spells if spell.counts and wanted(spell)]
        return sum(spell in self.found for spell in own), len(own)

    def false_cases(self, kind: str, sampling: str | None = None) -> tuple[int, float]:
        """(false cases, observed moving hours)."""
        own = [c for c in self.false if c.kind == kind and sampling in (None, c.sampling)]
        hours = self.watched.by_sampling
        return len(own), sum(hours.values()) if sampling is None else hours.get(sampling, 0.0)


def hit(spell: Spell, case: Case) -> bool:
    """Whether a case has found a spell: it tells of the same thing at the same time."""
    tells = case.own and (case.drowsy if spell.kind == "drowsy" else case.kind == "microsleep")
    return tells and touches(spell, case)


def is_false(case: Case, spells: Iterable[Spell]) -> bool:
    """Whether nothing true lies under a case; short closures are true as well."""
    return not any(
        touches(case, spell) and (spell.kind == "drowsy" or spell.seconds >= LEAST_CLOSURE)
        for spell in spells
    )


T = TypeVar("T", Spell, Case)


def _by_device(items: Iterable[T]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = defaultdict(list)
    for item in items:
        found[item.device].append(item)
    return found


# -- by quarter of open EAR ----------------------------------------------------------------------


@dataclass(frozen=True)
class Quarter:
    """Operators between two quartiles of open EAR.

    ``recall`` is that of spells as all operators together have them: some quarter will have been
    given more of the kinds that are hard to find.
    """

    low: float
    high: float
    operators: int
    hours: float
    false: int
    spells: int
    recall: float | None
    ratio_low: float  # lower limit of false rate / that of the others


def quarters(matched: Matched, ear: dict[str, float]) -> list[Quarter]:
    """Observed operators in four groups of equal size by their open EAR, lowest first."""
    hours = matched.watched.by_operator
    people = sorted((n for n in ear if hours.get(n, 0) > 0), key=lambda name: (ear[name], name))
    groups = [people[len(people) * i // 4 : len(people) * (i + 1) // 4] for i in range(4)]
    false = Counter(case.operator for case in matched.false)
    all_false, all_hours = sum(false[n] for n in people), sum(hours[n] for n in people)
    made = []
    for group in filter(None, groups):
        own_false, own_hours = sum(false[n] for n in group), sum(hours[n] for n in group)
        rest = all_false - own_false, all_hours - own_hours
        made.append(
            Quarter(
                low=ear[group[0]],
                high=ear[group[-1]],
                operators=len(group),
                hours=own_hours,
                false=own_false,
                spells=sum(
                    s.counts and expected(s) and s.operator in group for s in matched.watched.spells
                ),
                recall=_standardised(matched, set(group)),
                ratio_low=ratio_low(own_false, own_hours, *rest),
            )
        )
    return made


def _standardised(matched: Matched, group: set[str]) -> float | None:
    """Recall of a group's spells, each kind weighted by its share among all operators'."""
    total = weight = 0.0
    for wanted in EXPECTED:
        hits, n = matched.recall(lambda s, wanted=wanted: s.operator in group and wanted(s))  # type: ignore[misc]
        if n:
            share_of_all = matched.recall(wanted)[1]
            total += hits / n * share_of_all
            weight += share_of_all
    return total / weight if weight else None


def recall_gap(found: Sequence[Quarter]) -> float | None:
    """Percentage points between the best and the worst quarter."""
    shares = [q.recall for q in found if q.recall is not None]
    return (max(shares) - min(shares)) * 100 if len(shares) > 1 else None
