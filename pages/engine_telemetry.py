"""Engine telemetry: signals of units over their bands, what went beyond, and what to believe."""

from functools import partial

from app import data, drawing, faults, figures, filters, looks, panels, pickers, tables
from app.backend import backend
from app.charts import devices, engine, marks, series

PAGE = "engine_telemetry"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)

units = data.engine.units(chosen)
look = None if units.is_empty() else pickers.engine.look(units)
if look is None:
    panels.empty("engine.no_units")
elif not look.units or not look.signals:
    panels.empty("engine.choose")
else:
    dark, zone = panels.dark(), chosen.zone
    whole = data.engine.whole(chosen)
    span = pickers.engine.span(whole, chosen)
    exceeded = data.engine.exceedances(chosen, look, whole)
    codes = data.engine.codes(chosen, look, span)
    trust = data.engine.trust(chosen, look)
    minutes, level = data.engine.devices(chosen, look, span)
    within = panels.engine.within(exceeded, span)
    panels.tiles(figures.engine.tiles(minutes, within, trust, span.seconds, len(look.units)))

    panels.section_of(
        "engine.chart", "engine.signals", "engine.chart.help", unit=", ".join(look.units)
    )
    days = look.compare == looks.DAYS
    drawn = data.engine.newest_days(chosen, look, whole, series.MOST) if days else span
    view = data.engine.view(chosen, look, drawn)
    names = panels.engine.told(look, view, drawn, chosen)
    if view.frame.is_empty() or not names:
        panels.empty("empty.no_data")
    else:
        doubted = figures.engine.distrusted(trust)
        if days:
            figure = drawing.once(engine.over_each_other, view, names, zone, doubted, dark)
            panels.chart(figure, "days", "engine.signals")
        else:
            peers = data.engine.peers(chosen, look, span)
            beside = marks.Beside(within, codes, peers, doubted)
            figure = drawing.once(engine.along, view, names, span, zone, beside, dark)
            key = " ".join(("panels", *span.address))
            zoom = partial(pickers.engine.box, key, span, whole, zone)
            panels.chart(figure, key, "engine.signals", on_select=zoom, selection_mode="box")
        panels.download(tables.engine.shown(view.frame, names, zone), "signals")

    panels.section("engine.exceedances")
    listed = tables.engine.exceedances(exceeded, zone)
    hint, none = "engine.exceedances.hint", "engine.exceedances.none"
    zoom = partial(pickers.engine.exceedance, "exceedances", exceeded, span, whole)
    panels.engine.listed(listed, "exceedances", none, hint, zoom)

    panels.section("engine.codes", "engine.codes.help")
    ranked = tables.engine.repeats(faults.repeats(codes, within), zone)
    panels.engine.listed(ranked, "codes", "engine.codes.none")

    panels.section("engine.status", "engine.status.help")
    if minutes.is_empty():
        panels.empty("empty.no_data")
    else:
        strips = drawing.once(devices.status, minutes, level.grain_s, span, zone, dark)
        panels.chart(strips, "status", "engine.status")
        panels.section("engine.gap", "engine.gap.help")
        gap = drawing.once(devices.speed_gap, minutes, level, span, zone, dark)
        panels.chart(gap, "gap", "engine.gap")
        panels.download(minutes, "cameras_gps_speed")
        panels.engine.gaps(trust)

    panels.section("engine.trust", "engine.trust.help")
    panels.engine.trusted(trust)
    panels.engine.rows(data.engine.rows(chosen, look))
