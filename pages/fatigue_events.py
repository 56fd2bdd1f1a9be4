"""Fatigue events: who may be falling asleep, and were we even watching?"""

from datetime import UTC, datetime

import streamlit as st

from app import data, figures, filters, panels, pickers
from app.backend import backend
from app.text import say

PAGE = "fatigue_events"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)
st.caption(say("fatigue.banner"))

opened = pickers.fatigue.opened()
case = data.fatigue.case(chosen, opened) if opened else None
if opened:
    panels.fatigue.back()
if opened and case is None:
    panels.empty("fatigue.case.none")
elif case is not None:
    panels.fatigue.case(case, chosen)
    seconds, roster = data.fatigue.eye_trace(chosen, case), data.fatigue.roster(chosen, case)
    ladder = data.ladder.in_force(PAGE)
    left, right = st.container(key="case").columns([3, 2], gap="medium")
    with right:
        told = figures.fatigue.facts(case, roster, data.fatigue.seat(chosen, case), ladder)
        panels.fatigue.facts(told, *data.fatigue.case_operator(chosen, case))
        panels.fatigue.review(case, roster, ladder, chosen.zone)
    with left:
        panels.section("fatigue.trace", "fatigue.trace.help")
        if seconds.is_empty():
            panels.empty("fatigue.trace.none")
        else:
            panels.chart(panels.fatigue.trace(seconds, case, chosen), "trace", "fatigue.trace")
        track = data.fatigue.track(chosen, case)
        spot = figures.fatigue.spot(seconds, track, case)
        if spot is not None:
            panels.section("fatigue.place")
            panels.chart(panels.fatigue.place(track, case, spot), "place", "fatigue.place")
else:
    cases, exposure = data.fatigue.cases(PAGE, chosen), data.fatigue.exposure(chosen)
    times = data.fatigue.shift_times(chosen)
    queued = figures.fatigue.queue(cases, times, datetime.now(UTC))
    panels.tiles(figures.fatigue.tiles(queued, exposure))
    view = pickers.fatigue.view(user)
    if not exposure["units"]:
        panels.empty("empty.no_data")
    elif view == pickers.fatigue.PATTERNS:
        panels.section("fatigue.profile", "fatigue.profile.help")
        days = pickers.fatigue.season(figures.fatigue.seasons(chosen.scope.days or ()))
        profile = panels.fatigue_patterns.profile(chosen, days)
        if profile is None:
            panels.empty("fatigue.profile.none")
        else:
            panels.chart(profile, "profile", "fatigue.profile")
        panels.fatigue_patterns.ramadan(days)
        panels.section("fatigue.days", "fatigue.days.help")
        daily, breaks = panels.fatigue_patterns.daily(chosen)
        panels.chart(daily, "days", "fatigue.days", otherwise="fatigue.days.none")
        panels.fatigue_patterns.breaks(breaks)
        panels.fatigue_patterns.rates(chosen)
    elif view == pickers.fatigue.WHAT_IF:
        panels.fatigue.what_if(chosen)
    elif cases.is_empty():
        panels.empty("fatigue.none.but", **figures.fatigue.watched(exposure))
    else:
        kinds = pickers.fatigue.kinds()
        panels.fatigue_shift.contacts(cases, times, kinds, chosen.zone)
        panels.section("fatigue.strip", "fatigue.strip.help")
        strip = panels.fatigue_shift.strip(queued, times, kinds, chosen)
        if strip is None:
            panels.note("fatigue.strip.empty")
        else:
            opening = {"on_select": panels.fatigue_shift.open_mark, "selection_mode": "points"}
            panels.chart(strip, "strip", "fatigue.strip", **opening)
