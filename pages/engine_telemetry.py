"""Engine telemetry: one unit's signals over their bands, and what went beyond."""

from app import data, figures, filters, panels, pickers, tables
from app.backend import backend
from app.charts import engine

PAGE = "engine_telemetry"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)

units = data.engine.units(chosen)
if units.is_empty():
    panels.empty("engine.no_units")
else:
    unit, signals = pickers.engine.unit_and_signals(units)
    minutes = data.engine.minutes(chosen, unit, pickers.engine.minute_columns(signals))
    exceeded = data.engine.exceedances(chosen, unit)
    panels.tiles(figures.engine.tiles(minutes, exceeded, chosen.span_h))

    panels.section_of("engine.chart", "engine.signals", "engine.chart.help", unit=unit)
    hour = pickers.engine.detail(minutes, chosen.zone)
    frame = minutes if hour is None else data.engine.seconds(chosen, unit, hour, signals)
    if frame.is_empty() or not signals:
        panels.empty("empty.no_data")
    else:
        figure = engine.signals(frame, list(signals), chosen.zone, panels.dark())
        panels.chart(figure, "panels", "engine.signals")

    panels.section("engine.exceedances")
    if exceeded.is_empty():
        panels.note("engine.exceedances.none")
    else:
        shown = tables.engine.exceedances(exceeded, chosen.zone)
        panels.table(shown, "exceedances")
        panels.download(shown, "exceedances")

    panels.section("engine.gap", "engine.gap.help")
    gap = engine.speed_gap(minutes, chosen.zone, panels.dark())
    panels.chart(gap, "gap", "engine.gap")
