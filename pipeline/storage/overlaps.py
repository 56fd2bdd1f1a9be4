"""Who is seen where two objects hold the same second of a device: the larger rank.

A row is *beaten* when another live object version has its (deviceid, ts) and a larger rank. Which
rows are beaten is a function of the live versions alone, so it can be worked out anew whenever one
comes or dies. It is kept as runs (``Span``) of a version's rows, and the rows stay in the lake:
should the winner be replaced later, they are seen again without a second reading of raw files.

``plan`` looks at the ledger, ``weigh.settle`` at the rows of the few files concerned. A commit
plans again inside its transaction and goes on only if nothing changed in between.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, func, select

from pipeline.storage import tables as t
from pipeline.storage.records import NewFile

#: No piece is longer than a local day, and the longest has 25 hours.
LONGEST = 26 * 3_600_000_000

Rank = tuple[int, str]


@dataclass(frozen=True)
class Piece:
    """Rows of one object version in one file: a span of one local day, in microseconds."""

    src: int
    deviceid: str
    path: str
    rows: int
    min_ts: int
    max_ts: int
    rank: Rank

    def touches(self, other: Piece) -> bool:
        """True when the spans of two versions of one device meet."""
        return (
            self.deviceid == other.deviceid
            and self.src != other.src
            and self.min_ts <= other.max_ts
            and self.max_ts >= other.min_ts
        )


@dataclass(frozen=True)
class Plan:
    """What a commit changes besides adding its own rows.

    ``dying`` versions are replaced by it; ``ranks`` are those of the new ones; the rows of
    ``contested`` versions are to be weighed against each other, and lie in ``pieces``.
    """

    dying: frozenset[int] = frozenset()
    ranks: tuple[tuple[int, int], ...] = ()
    contested: frozenset[int] = frozenset()
    pieces: frozenset[Piece] = frozenset()


@dataclass(frozen=True)
class Span:
    """A run of a version's rows: from ``lo`` to ``hi`` every one of its ``rows`` is beaten."""

    src: int
    lo: int
    hi: int
    rows: int


@dataclass
class Verdict:
    """Who is beaten, and how many rows of which version readers leave out of which file."""

    plan: Plan
    beaten: list[Span] = field(default_factory=list)
    hidden: Counter[tuple[str, int]] = field(default_factory=Counter)

    def overlapped(self) -> Counter[int]:
        """Beaten rows by version."""
        total = Counter[int]()
        for span in self.beaten:
            total[span.src] += span.rows
        return total

    def applied(self, files: Iterable[NewFile]) -> list[NewFile]:
        """New files with the number of rows that readers leave out of them."""
        return [
            replace(
                file,
                sources={
                    src: replace(held, hidden=self.hidden[file.path, src])
                    for src, held in file.sources.items()
                },
            )
            for file in files
        ]


def plan(
    connection: Connection,
    objects: Sequence[dict[str, Any]],
    files: Iterable[NewFile],
    reread: Collection[str],
) -> Plan:
    """What happens to the live versions when ``objects`` with their ``files`` come in.

    A complete version replaces every earlier one of its key. So does one that was read again
    (``reread``), of its own content. A damaged one only adds: it ranks below those of its key. One
    that brings its own ``rank_at`` (adopted from another lake) only adds, too, at that rank.
    """
    taken = [row for row in objects if row["status"] != "failed"]
    by_key = _versions(connection, [row["key"] for row in taken])
    dying: set[int] = set()
    ranks: dict[int, int] = {}
    for row in taken:
        earlier = by_key[row["key"]]
        if "rank_at" in row:
            ranks[row["id"]] = _free(row["rank_at"], {old.rank_at for old in earlier})
            continue
        replaced = [
            old
            for old in earlier
            if row["status"] == "ok"
            or old.status == "failed"
            or (row["key"] in reread and old.sha256 == row["sha256"])
        ]
        dying |= {old.id for old in replaced}
        stay = [old.rank_at for old in earlier if old not in replaced]
        ranks[row["id"]] = min([row["arrived_at"], *(rank - 1 for rank in stay)])
    keys = {row["id"]: row["key"] for row in taken}
    arriving = [
        Piece(src, own.deviceid, file.path, own.rows, own.min_ts, own.max_ts, rank)
        for file in files
        for src, own in file.sources.items()
        for rank in [(ranks[src], keys[src])]
    ]
    contested, pieces = _contest(connection, arriving, dying)
    return Plan(frozenset(dying), tuple(sorted(ranks.items())), contested, pieces)


def _free(rank: int, held: Collection[int]) -> int:
    """The rank, or the next below that no version of the key has: of two one must be beaten."""
    while rank in held:
        rank -= 1
    return rank


def _versions(connection: Connection, keys: Sequence[str]) -> dict[str, list[Any]]:
    """Live versions by key, those that were set aside included."""
    o = t.raw_objects.c
    found: dict[str, list[Any]] = defaultdict(list)
    columns = (o.id, o.key, o.sha256, o.status, o.rank_at)
    query = select(*columns).where(o.key.in_(keys), o.dead_at.is_(None))
    for row in connection.execute(query):
        found[row.key].append(row)
    return found


def _contest(
    connection: Connection, arriving: Sequence[Piece], dying: Collection[int]
) -> tuple[frozenset[int], frozenset[Piece]]:
    """Versions whose beaten rows may change, and every live or arriving piece that decides it."""
    leaving = _pieces(connection, t.raw_objects.c.id.in_(dying)) if dying else set()
    moved = [*arriving, *leaving]
    near = _near(connection, moved, dying)
    touched = {piece for piece in near if any(piece.touches(other) for other in moved)}
    present = [*touched, *arriving]
    contested = {piece.src for piece in touched} | {
        piece.src for piece in arriving if any(piece.touches(other) for other in present)
    }
    if not contested:
        return frozenset(), frozenset()
    own = _pieces(connection, t.raw_objects.c.id.in_(contested))
    own |= {piece for piece in arriving if piece.src in contested}
    beside = _near(connection, own, dying) | set(arriving)
    deciding = {piece for piece in beside if any(piece.touches(other) for other in own)}
    return frozenset(contested), frozenset(own | deciding)


def _near(connection: Connection, windows: Iterable[Piece], dying: Collection[int]) -> set[Piece]:
    """Live pieces of the windows' devices whose spans may meet theirs."""
    s, found = t.file_sources.c, set[Piece]()
    for window in set(windows):
        found |= _pieces(
            connection,
            s.deviceid == window.deviceid,
            s.min_ts.between(window.min_ts - LONGEST, window.max_ts),
            s.max_ts >= window.min_ts,
        )
    return {piece for piece in found if piece.src not in dying}


def _pieces(connection: Connection, *where: Any) -> set[Piece]:
    f, s, o = t.data_files.c, t.file_sources.c, t.raw_objects.c
    columns = (s.src, s.deviceid, f.path, s.rows, s.min_ts, s.max_ts, o.rank_at, o.key)
    query = (
        select(*columns)
        .select_from(t.file_sources)
        .join(t.data_files, f.id == s.file_id)
        .join(t.raw_objects, o.id == s.src)
        .where(f.superseded_at.is_(None), o.dead_at.is_(None), *where)
    )
    return {
        Piece(row.src, row.deviceid, row.path, row.rows, row.min_ts, row.max_ts, rank)
        for row in connection.execute(query)
        for rank in [(row.rank_at, row.key)]
    }


def total_hidden(connection: Connection, file_ids: Collection[int]) -> dict[int, int]:
    """Rows that readers leave out, by file."""
    s = t.file_sources.c
    query = select(s.file_id, func.sum(s.hidden).label("out")).where(s.file_id.in_(file_ids))
    return {row.file_id: int(row.out) for row in connection.execute(query.group_by(s.file_id))}
