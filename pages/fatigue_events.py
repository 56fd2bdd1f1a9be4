"""Fatigue events: who may be falling asleep, and were we even watching?"""

import streamlit as st

from app import data, figures, filters, panels, tables
from app.backend import backend
from app.charts import fatigue
from app.text import say

PAGE = "fatigue_events"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)
st.caption(say("fatigue.banner"))

cases = data.fatigue.cases(PAGE, chosen)
exposure = data.fatigue.exposure(chosen)
panels.tiles(figures.fatigue.tiles(cases, exposure))

if not exposure["units"]:
    panels.empty("empty.no_data")
elif cases.is_empty():
    panels.empty("fatigue.none.but", **figures.fatigue.watched(exposure))
else:
    panels.section("fatigue.strip", "fatigue.strip.help")
    runs = data.fatigue.strip(chosen, fatigue.strip_rows(cases))
    strip = fatigue.strip(cases, runs, chosen.zone, panels.dark())
    panels.chart(strip, "strip", "fatigue.strip")

    panels.section("fatigue.table", "fatigue.table.hint")
    shown = tables.fatigue.cases(cases, chosen.zone)
    row = panels.pick(shown, "cases")
    panels.download(shown, "fatigue_cases")

    if row is not None:
        case = cases.row(row, named=True)
        panels.fatigue.case(case, data.fatigue.case_operator(chosen, case["case_id"]), chosen)
        seconds = data.fatigue.eye_trace(chosen, case)
        if seconds.is_empty():
            panels.empty("fatigue.trace.none")
        else:
            trace = fatigue.eye_trace(seconds, case, chosen.zone, panels.dark())
            panels.chart(trace, "trace", "fatigue.trace")
