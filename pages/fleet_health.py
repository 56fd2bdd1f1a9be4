"""Fleet health: which units run, which stand, which are lost?"""

import streamlit as st

from app import data, figures, filters, panels, tables
from app.backend import backend
from app.charts import fleet
from app.text import say

PAGE = "fleet_health"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)

now = data.fleet.unit_now(PAGE, chosen)
panels.tiles(figures.fleet.statuses(now))

hours = data.fleet.unit_hours(chosen)
if hours.is_empty():
    panels.empty("empty.no_data")
else:
    panels.section("fleet.hours", "fleet.hours.help")
    panels.chart(fleet.unit_hours(hours, chosen.zone, panels.dark()), "hours", "fleet.hours")
    shown, every = len(fleet.hour_rows(hours)), hours["unitno"].n_unique()
    if shown < every:
        st.caption(say("fleet.more", shown=shown, all=every))

if not now.is_empty():
    panels.section("fleet.table", "fleet.uptime.help")
    table = tables.fleet.units(data.fleet.unit_totals(chosen), now, chosen.zone)
    panels.table(table, "units")
    panels.download(table, "fleet_health")
