"""How a day is cut into runs of units, so that memory depends on no fleet's size. Pure.

A child that merges holds the footers of the files it reads: 184 columns of a row group take some
170 kB. All hours of a large fleet are more than fit, but no unit is in all of the files: a claim is
of neighbours. So units of the same files form a run, and a child opens the files of its run alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.storage.records import DataFile

#: Row groups whose footers a child may hold: 300 MB.
ROW_GROUPS = 1_800
#: A run is worth halving, for another core, while its halves have so many rows.
SHARE_ROWS = 400_000


@dataclass(frozen=True)
class Run:
    """Units to be merged together, and the files with rows of theirs.

    One run of a day also takes every unit that the manifest does not name: all but ``others``.
    """

    files: tuple[DataFile, ...]
    units: frozenset[str]
    rows: float
    others: frozenset[str] | None = None

    def takes(self, unit: str) -> bool:
        """Whether the rows of a unit are this run's."""
        return unit in self.units or (self.others is not None and unit not in self.others)


def cut(files: Sequence[DataFile], cores: int) -> list[Run]:
    """Runs that cover every row of some files of one day, the largest first."""
    found = _halved(_neighbours(files), cores)
    first, *rest = sorted(found, key=lambda run: -run.rows)
    others = frozenset[str]().union(*(run.units for run in rest))
    return [replace(first, files=tuple(files), others=others), *rest]


def _neighbours(files: Sequence[DataFile]) -> list[Run]:
    """Runs of units that are in the same files."""
    places: dict[str, list[int]] = defaultdict(list)
    for number, file in enumerate(files):
        for unit in file.units:
            places[unit].append(number)
    runs: list[Run] = []
    units: list[str] = []
    opened: set[int] = set()
    for unit in sorted(places, key=lambda unit: (places[unit], unit)):
        wider = opened.union(places[unit])
        if units and wider != opened and _row_groups(files, wider) > ROW_GROUPS:
            runs.append(_run(files, units, opened))
            units, wider = [], set(places[unit])
        units, opened = [*units, unit], wider
    return [*runs, _run(files, units, opened)]


def _halved(runs: list[Run], cores: int) -> list[Run]:
    """The largest run is halved until every core has as many, as far as that is worth a start."""
    while len(runs) % cores:
        largest = max(runs, key=lambda run: run.rows)
        if len(largest.units) < 2 or largest.rows < 2 * SHARE_ROWS:
            break
        units = sorted(largest.units)
        middle = len(units) // 2
        runs.remove(largest)
        runs += [
            replace(largest, units=frozenset(half), rows=largest.rows * len(half) / len(units))
            for half in (units[:middle], units[middle:])
        ]
    return runs


def _run(files: Sequence[DataFile], units: Sequence[str], opened: set[int]) -> Run:
    """A run; of its rows, the manifest knows only those of all units of a file."""
    chosen, wanted = tuple(files[number] for number in sorted(opened)), frozenset(units)
    rows = sum(
        file.rows * len(wanted.intersection(file.units)) / len(file.units) for file in chosen
    )
    return Run(chosen, wanted, rows)


def _row_groups(files: Sequence[DataFile], opened: set[int]) -> int:
    """At most so many: one a unit and file."""
    return sum(len(files[number].units) for number in opened)
