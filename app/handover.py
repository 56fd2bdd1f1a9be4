"""The shift handover: one page of HTML to print, with nothing from outside in it.

Units, never operators. What people and devices wrote is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from app import figures
from app.figures.fatigue import speed_limits
from app.text import known, say, spelled
from app.tiles import NOTHING, hours, share
from pipeline.storage.reviews import ACKNOWLEDGED, FALSE_ALARM, NEW, VERDICTS

#: One page holds no more.
MOST_CASES, MOST_UNITS, MOST_DRIVEN = 14, 6, 5

STYLE = """
@page { size: A4; margin: 12mm }
* { box-sizing: border-box }
body { font: 12px/1.35 system-ui, sans-serif; color: #111; max-width: 182mm; margin: 8mm auto }
@media print { body { margin: 0 auto } }
h1 { font-size: 20px; margin: 0 } h2 { font-size: 14px; margin: 10px 0 3px }
p { margin: 2px 0 } .small { color: #555; font-size: 11px }
ul { display: flex; flex-wrap: wrap; gap: 6px 10px; padding: 0; list-style: none; margin: 10px 0 }
li { flex: 1 1 22%; border: 1px solid #999; padding: 4px 8px }
li b { display: block; font-size: 15px }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid #bbb; padding: 2px 6px; text-align: left; vertical-align: top }
th { border-bottom: 2px solid #111; font-weight: 600 } td.n { text-align: right }
tr.open td:first-child { font-weight: 700; border-left: 4px solid #111 }
footer { display: flex; gap: 24px; margin-top: 22px }
footer div { flex: 1; border-top: 1px solid #111; padding-top: 3px }
"""


@dataclass(frozen=True)
class Handover:
    """What the page tells: ``queued`` cases of one shift, most urgent first; ``watch`` by unit;
    the newest ``notes`` by case; how each unit that moved was ``driven``, the fastest first."""

    day: str
    shift: int
    districts: Sequence[str]
    zone: str
    now: datetime
    queued: pl.DataFrame
    watch: pl.DataFrame
    notes: Mapping[str, str]
    driven: pl.DataFrame


def html(found: Handover) -> str:
    """The page, whole."""
    at = found.now.astimezone(ZoneInfo(found.zone))
    title = say("handover.title", day=found.day, shift=found.shift)
    where = ", ".join(found.districts) or say("filter.all_districts")
    signs = "".join(f"<div>{_text(say(f'handover.{who}'))}</div>" for who in ("from", "to"))
    parts = (
        f"<h1>{_text(title)}</h1>",
        f"<p>{_text(where)} · {_text(say('handover.made', time=f'{at:%Y-%m-%d %H:%M %Z}'))}</p>",
        _figures(found),
        f"<h2>{_text(say('handover.cases'))}</h2>",
        _cases(found),
        f"<h2>{_text(say('handover.unseen'))}</h2>",
        _units(found.watch),
        f"<h2>{_text(say('handover.driven'))}</h2>",
        _driven(found.driven),
        f"<p class=small>{escape(say('fatigue.banner'))}</p>",
        f"<footer>{signs}</footer>",
    )
    return (
        f"<!doctype html><html><head><meta charset=utf-8><title>{_text(title)}</title>"
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _figures(found: Handover) -> str:
    cases, watch = found.queued, found.watch.sum()
    judged = cases.filter(pl.col("state").is_in(VERDICTS))
    wrong = judged.filter(state=FALSE_ALARM).height
    blind, moving, none, length = (
        float(watch[name][0] or 0)
        for name in ("blind_moving_s", "moving_s", "no_data_s", "shift_s")
    )
    figures = (
        ("handover.open", f"{cases.filter(state=NEW).height} / {cases.height}"),
        ("handover.contacted", f"{cases.filter(state=ACKNOWLEDGED).height} / {cases.height}"),
        ("handover.judged", f"{judged.height} / {cases.height}"),
        ("handover.false", f"{wrong} / {judged.height}"),
        ("handover.blind", f"{share(blind, moving)} · {hours(blind)} / {hours(moving)} h"),
        ("handover.none", f"{share(none, length)} · {hours(none)} / {hours(length)} h"),
        *_driving(found.driven),
    )
    warn, _ = speed_limits()
    items = (
        f"<li>{_text(say(key, limit=f'{warn:g}'))}<b>{_text(spelled(value))}</b></li>"
        for key, value in figures
    )
    return f"<ul>{''.join(items)}</ul>"


def _driving(driven: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    """Too fast and turned away, of all units together, beside the hours in which they moved."""
    total = driven.sum()
    moving, over = (float(total[name][0] or 0) for name in ("moving_s", "over_s"))
    away = f"{total['distractions'][0]:,} / {hours(moving)} h" if moving else NOTHING
    return (
        ("handover.over", f"{share(over, moving)} · {over / 60:,.1f} min / {hours(moving)} h"),
        ("handover.away", away),
    )


def _cases(found: Handover) -> str:
    if found.queued.is_empty():
        return f"<p>{_text(say('handover.no_cases'))}</p>"
    urgent = found.queued.head(MOST_CASES)
    rows = [_case(found, row) for row in urgent.iter_rows(named=True)]
    more = found.queued.height - urgent.height
    note = f"<p class=small>{_text(say('handover.more', n=more))}</p>" if more else ""
    heads = ("unit", "kind", "started", "metres", "review", "clock", "action", "note")
    return _table([say(f"column.{head}") for head in heads], rows) + note


def _case(found: Handover, row: Mapping[str, object]) -> str:
    started, metres, clock = row["started_at"], row["metres_closed"], row["clock_s"]
    at = started.astimezone(ZoneInfo(found.zone)) if isinstance(started, datetime) else None
    action = row["action"]
    cells = (
        row["unitno"],
        known(f"kind.{row['kind']}", str(row["kind"])),
        f"{at:%H:%M}" if at else NOTHING,
        spelled(f"{metres:,.0f}") if isinstance(metres, int | float) else NOTHING,
        say(f"case_state.{row['state']}"),
        figures.fatigue.clock(clock) if isinstance(clock, int | float) else NOTHING,
        figures.fatigue.step(str(action)) if action else NOTHING,
        found.notes.get(str(row["case_id"]), ""),
    )
    mark = " class=open" if row["state"] not in VERDICTS else ""
    return f"<tr{mark}>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>"


def _units(watch: pl.DataFrame) -> str:
    unseen = watch.filter(pl.col("blind_moving_s") + pl.col("no_data_s") >= 60).head(MOST_UNITS)
    if unseen.is_empty():
        return f"<p>{_text(say('handover.all_seen'))}</p>"
    rows = [
        "<tr>"
        + "".join(
            f"<td>{_text(cell)}</td>"
            for cell in (
                row["unitno"],
                spelled(f"{hours(row['blind_moving_s'])} / {hours(row['moving_s'])}"),
                spelled(f"{hours(row['no_data_s'])} / {hours(row['shift_s'])}"),
                spelled(f"{row['unobserved_km']:,.1f}"),
            )
        )
        + "</tr>"
        for row in unseen.iter_rows(named=True)
    ]
    heads = ("column.unit", "handover.blind_h", "handover.none_h", "column.unobserved")
    return _table([say(head) for head in heads], rows)


def _driven(driven: pl.DataFrame) -> str:
    """Units that were too fast, or whose driver's head was turned away, the worst first."""
    if driven.is_empty():
        return f"<p>{_text(say('handover.none_moved'))}</p>"
    told = driven.filter((pl.col("over") > 0) | (pl.col("distractions") > 0)).sort(
        *("over_crit", "over_s", "distractions", "unitno"), descending=[True, True, True, False]
    )
    if told.is_empty():
        return f"<p>{_text(say('handover.well_driven'))}</p>"
    rows = [_unit_driven(row) for row in told.head(MOST_DRIVEN).iter_rows(named=True)]
    more = told.height - len(rows)
    note = f"<p class=small>{_text(say('handover.more_units', n=more))}</p>" if more else ""
    warn, crit = speed_limits()
    heads = (
        *("column.unit", "handover.over_min", "handover.over_crit"),
        *("column.worst_kmh", "column.distractions", "handover.blind_h"),
    )
    return _table([say(head, limit=f"{warn:g}", crit=f"{crit:g}") for head in heads], rows) + note


def _unit_driven(row: Mapping[str, Any]) -> str:
    worst = row["worst_kmh"]
    cells = (
        row["unitno"],
        spelled(f"{row['over_s'] / 60:,.1f} / {row['moving_s'] / 60:,.0f}"),
        spelled(f"{row['over_crit']:,}"),
        NOTHING if worst is None else spelled(f"{worst:,.0f}"),
        spelled(f"{row['distractions']:,}"),
        spelled(f"{hours(row['blind_moving_s'])} / {hours(row['moving_s'])}"),
    )
    return f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in cells)}</tr>"


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f"<th>{_text(one)}</th>" for one in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _text(value: object) -> str:
    """Escaped, and short: a name of ten thousand characters is no reason for a second page."""
    return escape(" ".join(str(value).split())[:160])
