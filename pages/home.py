"""Overview: the state of the fleet in a sentence, what changed, a bar and a list."""

import streamlit as st

from app import data, drawing, figures, filters, panels, tables
from app.access import HOME
from app.backend import backend
from app.charts import fleet

user = data.require(HOME.name)
chosen = filters.sidebar(backend(), user)
panels.header("home", chosen)

now = data.home.now(chosen)
if now.nothing:
    panels.empty("empty.nothing")
else:
    st.container(key="state").markdown(figures.home.sentence(now))
    panels.tiles(figures.home.tiles(now))

    if not now.units.is_empty():
        others = figures.fleet.definitions(figures.fleet.NOT_REPORTING)
        panels.section("home.chart", "home.chart.help", others=others)
        doing = figures.fleet.doing(now.units)
        bars = drawing.once(fleet.now_bars, doing, panels.dark())
        panels.chart(bars, "now", "home.chart")

    since, known = data.home.since_last_visit()
    panels.home.changes(data.home.changed(chosen, since), since, known, chosen)

    if not now.units.is_empty():
        panels.section("home.attention")
        attention = tables.fleet.attention(now.units, chosen.zone)
        panels.table_or(attention, "attention", "home.attention.none")
        if not attention.is_empty():
            panels.download(attention, "attention")
