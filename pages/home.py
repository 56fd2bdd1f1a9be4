"""Overview: the state of the fleet in a sentence, a bar and a list."""

import streamlit as st

from app import data, figures, filters, panels, tables
from app.access import HOME
from app.backend import backend
from app.charts import fleet

user = data.require(HOME.name)
chosen = filters.sidebar(backend(), user)
panels.header("home", chosen)

units = data.fleet.unit_now(HOME.name, chosen)
cells = data.delivery.cells(HOME.name, chosen)
cases = data.fatigue.cases(HOME.name, chosen)

if units.is_empty() and cells.is_empty():
    panels.empty("empty.nothing")
else:
    st.markdown(figures.home.sentence(units, cases, cells))
    panels.tiles(figures.home.tiles(units, cases, cells))
    if not units.is_empty():
        others = figures.fleet.definitions(figures.fleet.NOT_REPORTING)
        panels.section("home.chart", "home.chart.help", others=others)
        panels.chart(fleet.now_bars(figures.fleet.doing(units), panels.dark()), "now", "home.chart")
        panels.section("home.attention")
        attention = tables.fleet.attention(units, chosen.zone)
        if attention.is_empty():
            panels.note("home.attention.none")
        else:
            panels.table(attention, "attention")
