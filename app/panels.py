"""Pieces of a page: header, tiles, charts, tables, and what stands where nothing can."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import plotly.graph_objects as go
import polars as pl
import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from app import meaning, state
from app.access import Refused
from app.backend import backend
from app.filters import Filters
from app.text import known, plain, say
from app.tiles import Tile
from pipeline.errors import StoreUnavailable
from pipeline.storage.people import User
from queries import operations

REFRESH_S = 5
#: A page is not redrawn more often than this while commits keep coming.
CALM_S = 15

_log = logging.getLogger("haulwatch.pages")

STYLE = Path(__file__).with_name("style.css")
#: Tables of more rows scroll inside so many pixels.
LONG_ROWS, LONG_TABLE = 9, 360
CHART = {"displayModeBar": False, "showSendToCloud": False, "responsive": True}


def sign_in_frame() -> None:
    """What stands above the sign-in form."""
    st.title(say("app.name"))
    st.caption(say("app.tagline"))


def account(user: User) -> bool:
    """Who is signed in, and the way out; True when it was taken."""
    with st.sidebar.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.caption(f"{plain(user.name)} · {say(f'role.{user.role}')}")
        return st.button(
            say("sign_out"), icon=":material/logout:", type="tertiary", help=say("sign_out.help")
        )


def foot() -> None:
    """Below the filters: the way to what every figure means."""
    st.sidebar.link_button(
        say("docs.link"),
        meaning.DOCS,
        icon=":material/menu_book:",
        type="tertiary",
        help=say("docs.link.help"),
    )


def run(page: Any, allowed: bool, home: Any) -> None:
    """Run a page; what goes wrong in it is one calm sentence, and a line in the log."""
    try:
        if not allowed:
            raise Refused
        page.run()
    except Refused:
        refusal(home)
    except duckdb.InterruptException:
        st.warning(say("error.slow"), icon=":material/timer:")
    except StoreUnavailable:
        st.warning(say("error.lake"), icon=":material/cloud_off:")
    except (duckdb.Error, SQLAlchemyError, OSError):
        _log.exception("page %s", page.url_path or "home")
        st.warning(say("error.query"), icon=":material/sync_problem:")


def lake_state(zone: str) -> None:
    """One sentence above the page while the lake's store is away; else nothing."""
    trouble = backend().reader.lake.trouble
    if trouble:
        since = f"{datetime.fromtimestamp(trouble.since, ZoneInfo(zone)):%Y-%m-%d %H:%M}"
        st.warning(
            say("lake.away", since=since, zone=zone, reason=plain(trouble.reason)),
            icon=":material/cloud_off:",
        )


def refusal(home: Any) -> None:
    """A page that is not part of the role: no name, no figure, a way back."""
    st.info(say("access.refused"), icon=":material/lock:")
    st.page_link(home, label=say("access.back"), icon=":material/arrow_back:")


def frame() -> None:
    """Our few lines of style: denser pages, notes that wrap, print without the menu."""
    st.html(STYLE)


def header(page: str, filters: Filters) -> None:
    """Title, what the page is about, and the live line."""
    st.header(say(f"{page}.title"), anchor=False)
    zone = filters.zone_name
    days = "header.day" if filters.first == filters.last else "header.days"
    scope = (
        say(
            "header.scope",
            districts=", ".join(map(plain, filters.districts)) or say("filter.all_districts"),
            span=say(days, first=filters.first, last=filters.last),
            zone=zone,
        )
        if filters.first
        else say("header.system", zone=zone)
    )
    now = datetime.now(ZoneInfo(filters.zone))
    st.caption(f"{scope} · {say('header.now', clock=now.strftime('%H:%M'), zone=zone)}")
    version = operations.vitals(backend().ledger).version
    st.session_state[state.DRAWN] = (version, time.monotonic())
    _live()


@st.fragment(run_every=REFRESH_S)
def _live() -> None:
    """Progress of a backlog; redraws the page when the data's version has moved."""
    now = operations.vitals(backend().ledger)
    progress = now.progress
    if progress.pending and not now.worker_alive:
        st.warning(say("progress.stopped", pending=progress.pending), icon=":material/pause:")
    total = max(progress.total, _expected())
    done = progress.done + progress.failed
    if done < total and now.worker_alive:
        st.progress(done / total, say("progress", done=done, total=total))
    drawn, since = st.session_state[state.DRAWN]
    if now.version != drawn and time.monotonic() - since >= CALM_S:
        st.rerun()


def _expected() -> int:
    """Files that a demo is still going to deliver; 0 outside of it."""
    path = backend().settings.home / "expected.json"
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["files_expected"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def tiles(items: Sequence[Tile]) -> None:
    """Figures side by side; they wrap on narrow screens."""
    for place, item in zip(st.columns(len(items), gap="small"), items, strict=True):
        place.metric(
            item.label,
            item.value,
            item.note or None,
            delta_color="off",
            delta_arrow="off",
            help=item.help or None,
            border=True,
            height="stretch",
        )


def section(title: str, help_text: str = "", **values: object) -> None:
    """A heading with what it means behind the question mark; ``values`` are for the help text."""
    reading = say(help_text, **values) if help_text else ""
    st.subheader(say(title), anchor=False, help=meaning.of(title, reading) or None)


def section_of(title: str, chart: str, help_text: str, **values: object) -> None:
    """A heading that names something from outside, above a chart."""
    shown = {name: plain(value) for name, value in values.items()}
    st.subheader(say(title, **shown), anchor=False, help=meaning.of(chart, say(help_text)))


def chart(figure: go.Figure, key: str, alt: str) -> None:
    """A chart over the whole width; ``alt`` is the key of its description."""
    st.plotly_chart(figure, width="stretch", theme=None, key=key, config=CHART, alt=say(alt))


def table(frame: pl.DataFrame, key: str, **options: Any) -> Any:
    """A table with a download; strings of devices are shown as they are."""
    shares = [say(f"column.{name}") for name in ("cab_camera", "front_camera", "gps")]
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(name, format="%.1f %%", help=say("fleet.uptime.help"))
        for name in shares
        if name in frame.columns
    }
    level = say("column.fuel_level")
    if level in frame.columns:
        config[level] = st.column_config.ProgressColumn(
            level, min_value=0, max_value=100, format="%d %%"
        )
    return st.dataframe(
        frame,
        width="stretch",
        hide_index=True,
        column_config=config,
        placeholder="–",
        key=key,
        **options,
    )


def table_or(frame: pl.DataFrame, key: str, otherwise: str, **options: Any) -> None:
    """A table, or the sentence that says why there is none."""
    if frame.is_empty():
        note(otherwise, **options)
    else:
        # A few rows need no scrolling; many must not push the rest of the page away.
        table(frame, key, **({"height": LONG_TABLE} if frame.height > LONG_ROWS else {}))


def pick(frame: pl.DataFrame, key: str) -> int | None:
    """A table of which one row can be opened; the index of that row."""
    event = table(frame, key, on_select="rerun", selection_mode="single-row")
    rows = event.selection.rows
    return rows[0] if rows and rows[0] < frame.height else None


def case(found: dict[str, Any], operator: str | None, filters: Filters) -> None:
    """The head of an opened case, the only place where an operator is named."""
    zone = ZoneInfo(filters.zone)
    st.subheader(
        say(
            "fatigue.case",
            kind=plain(known(f"kind.{found['kind']}", found["kind"])),
            unit=plain(found["unitno"]),
            time=found["started_at"].astimezone(zone).strftime("%H:%M:%S"),
            zone=filters.zone_name,
        ),
        anchor=False,
        help=meaning.of("fatigue.trace"),
    )
    who = plain(operator) if operator else say("fatigue.operator.none")
    st.markdown(f"{say('fatigue.operator')}: **{who}**")


def download(frame: pl.DataFrame, name: str) -> None:
    """What is shown, as CSV."""
    st.download_button(
        say("download"),
        frame.write_csv(),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def note(text: str, **values: object) -> None:
    """Nothing to show, and nothing to worry about."""
    st.caption(f":material/check: {say(text, **values)}")


def empty(text: str, **values: object) -> None:
    """Nothing to show, and why."""
    st.info(say(text, **values), icon=":material/help_center:")


def dark() -> bool:
    """True on a dark page."""
    return st.context.theme.type == "dark"
