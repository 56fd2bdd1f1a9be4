"""Fleet health: which units run, which stand, which are lost?"""

import streamlit as st

from app import data, drawing, figures, filters, panels, pickers, tables
from app.backend import backend
from app.charts import fleet_gantt, fleet_map, fleet_parts

PAGE = "fleet_health"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)
zone, dark = chosen.zone, panels.dark()
every, totals = data.fleet.unit_now(PAGE, chosen), data.fleet.unit_totals(chosen)
unit = pickers.fleet.unit(figures.fleet.known_units(every, totals), chosen)
status = None if unit else pickers.fleet.status(figures.fleet.statuses(every))
view = "unit" if unit else pickers.fleet.view()
only = figures.fleet.Only(every, unit, status)
now, totals = only.now, only.of(totals)

if now.is_empty() and totals.is_empty():
    panels.empty("fleet.none" if status else "empty.no_data")
elif unit:
    work = only.of(data.fleet.availability(chosen))
    panels.fleet.status(now, chosen)
    panels.tiles(figures.fleet.availability(work))
    panels.tiles(figures.fleet.counters(totals))
    panels.fleet.without_log(work)
    panels.section_of("fleet.days", "fleet.gantt", "fleet.days.help", unit=unit)
    figure = drawing.once(fleet_gantt.days, data.fleet.intervals(chosen, (unit,)), zone, dark)
    panels.chart(figure, "days", "fleet.gantt", otherwise="empty.no_data")
    panels.fleet.seconds(unit, chosen)
    pickers.fleet.days(tables.fleet.days(only.of(data.fleet.unit_days(chosen))), "unit_days")
    panels.fleet.parts(only.of(data.fleet.parts(chosen)), zone)
elif view == "now":
    left, right = st.container(key="map_and_table").columns([5, 6])
    with left:
        panels.section("fleet.map", "fleet.map.help")
        tracks = data.fleet.tracks(chosen, figures.fleet.travellers(totals))
        figure = drawing.once(fleet_map.positions, now, tracks, dark)
        panels.chart(figure, pickers.fleet.MAP, "fleet.map", **pickers.fleet.ON_MAP)
        panels.fleet.unplaced(now)
    with right:
        pickers.fleet.units("fleet.act", tables.fleet.to_act(now, zone), height=440)
    pickers.fleet.districts("fleet.districts", tables.fleet.districts(now))
    ready = only.of(data.fleet.ready(chosen))
    said = panels.fleet.began(ready, chosen)
    pickers.fleet.units("fleet.ready", tables.fleet.ready(ready, zone), *said)
elif view == "hours":
    days = only.of(data.fleet.unit_days(chosen))
    order = fleet_gantt.by_lost(days)
    intervals = data.fleet.intervals(chosen, order) if fleet_gantt.is_close(days) else None
    panels.section("fleet.gantt", "fleet.gantt.help")
    figure = drawing.once(fleet_gantt.units, days, intervals, zone, dark)
    panels.chart(figure, "gantt", "fleet.gantt", otherwise="empty.no_data")
    panels.fleet.drawn(len(order), days["unitno"].n_unique())
    pickers.fleet.units("fleet.table", tables.fleet.units(totals, now, zone))
elif view == "work":
    work, bands = only.of(data.fleet.availability(chosen)), only.of(data.fleet.idle_bands(chosen))
    panels.tiles(figures.fleet.availability(work))
    panels.fleet.without_log(work)
    panels.section("fleet.idle", "fleet.idle.help")
    figure = drawing.once(fleet_parts.idle, bands, dark)
    panels.chart(figure, "idle", "fleet.idle", otherwise="fleet.idle.none")
    pickers.fleet.units("fleet.work", tables.fleet.availability(work, bands))
elif view == "service":
    pickers.fleet.units("fleet.service", tables.fleet.service(totals))
    pickers.fleet.units("fleet.consumption", tables.fleet.work(totals))
    drops = only.of(data.fleet.fuel_drops(chosen))
    pickers.fleet.units("fleet.drops", tables.fleet.fuel_drops(drops, zone))
else:
    parts = only.of(data.fleet.parts(chosen))
    panels.section("fleet.health", "fleet.health.help")
    figure = drawing.once(fleet_parts.health, parts, dark)
    panels.chart(figure, "health", "fleet.health", otherwise="fleet.health.none")
    panels.fleet.parts(parts, zone)
    panels.section("fleet.firmware", "fleet.firmware.help")
    figure = drawing.once(fleet_parts.firmware, data.fleet.firmware(chosen), dark)
    panels.chart(figure, "firmware", "fleet.firmware", otherwise="empty.no_data")
