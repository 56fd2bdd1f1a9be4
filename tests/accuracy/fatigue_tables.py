"""The tables about fatigue."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from tests.accuracy.fatigue import (
    BINS,
    FRAC,
    SNAP,
    Matched,
    Quarter,
    Wanted,
    closure,
    drowsy,
    drowsy_of,
)
from tests.accuracy.marts import EYES
from tests.accuracy.statistics import garwood, wilson


def share(hits_and_n: tuple[int, int]) -> float | None:
    """None where there was nothing to find."""
    hits, n = hits_and_n
    return hits / n if n else None


def per_100h(count_and_hours: tuple[int, float]) -> float | None:
    """None where nothing was observed."""
    count, hours = count_and_hours
    return count / hours * 100 if hours else None


def recall_rows(matched: Matched) -> list[tuple[str, ...]]:
    """For a table: every kind of spell, how many, how many were found, with limits."""
    asked: list[tuple[str, Wanted]] = []
    for sampling in ("snapshot", "closure"):
        for low, high in BINS:
            label = f"{low:g}–{high:g} s" if high < 99 else f"≥ {low:g} s"
            asked.append((f"closure {label}, {sampling}", closure(low, high, sampling)))
    asked.append(("closure ≥ 2 s, closure", FRAC))
    asked.append(("closure ≥ 2 s, closure, alone", lambda s: s.alone and FRAC(s)))
    asked.append(("closure ≥ 5 s, snapshot, alone", lambda s: s.alone and SNAP(s)))
    for sampling in ("snapshot", "closure"):
        asked.append((f"drowsy ≥ 10 min, ≥ 15 %, {sampling}", drowsy_of(sampling)))
    asked.append(("drowsy ≥ 10 min, ≥ 15 %", drowsy))
    asked.append(("drowsy, shorter or lighter", lambda s: s.kind == "drowsy" and not drowsy(s)))
    return [(label, *_recall_cells(*matched.recall(wanted))) for label, wanted in asked]


def _recall_cells(hits: int, n: int) -> tuple[str, ...]:
    if not n:
        return "0", "0", "—", ""
    return f"{n:,}", f"{hits:,}", f"{hits / n:.3f}", "{:.3f}–{:.3f}".format(*wilson(hits, n))


def false_rows(matched: Matched) -> list[tuple[str, ...]]:
    """For a table: false cases, hours, the rate per 100 h with its limits."""
    rows: list[tuple[str, ...]] = []
    for kind, sampling in product(EYES, ("snapshot", "closure", None)):
        count, hours = matched.false_cases(kind, sampling)
        rate = per_100h((count, hours))
        low, high = garwood(count, hours / 100)
        shown = "—" if rate is None else f"{rate:.2f}"
        label = f"{kind}, {sampling or 'all'}"
        rows.append((label, f"{count:,}", f"{hours:,.0f}", shown, f"{low:.2f}–{high:.2f}"))
    return rows


def quarter_rows(found: Iterable[Quarter]) -> list[tuple[str, ...]]:
    """For a table: one row a quarter."""
    return [
        (
            f"{q.low:.3f}–{q.high:.3f}",
            f"{q.operators}",
            f"{q.hours:,.0f}",
            f"{q.false}",
            f"{q.false / q.hours * 100:.2f}" if q.hours else "—",
            f"{q.ratio_low:.2f}",
            f"{q.spells}",
            "—" if q.recall is None else f"{q.recall:.3f}",
        )
        for q in found
    ]
