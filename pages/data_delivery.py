"""Data delivery: what arrived, what did not and why, how late; down to the raw file."""

from app import data, drawing, figures, filters, panels, pickers, state, tables
from app.backend import backend
from app.charts import delivery

PAGE = "data_delivery"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)

states = data.delivery.devices(PAGE, chosen.scope)
if states.is_empty():
    panels.empty("empty.nothing")
else:
    panels.tiles(figures.delivery.tiles(states))

    panels.section("delivery.grid", "delivery.grid.help")
    drawn = figures.delivery.drawn(states)
    cells = data.delivery.cells(chosen, drawn)
    grid = drawing.once(delivery.grid, cells, drawn, panels.dark())
    panels.chart(grid, state.GRID_CHART, "delivery.grid", on_select=pickers.delivery.from_grid)
    panels.delivery.left_out(figures.delivery.devices_of(states))
    opened = pickers.delivery.opened(cells, chosen)
    if opened:
        panels.delivery.opened(opened, chosen)

    panels.section("delivery.causes", "delivery.causes.help")
    causes = figures.delivery.causes(cells)
    if causes.is_empty():
        panels.note("delivery.causes.none")
    else:
        bars = drawing.once(delivery.causes, causes, panels.dark())
        panels.chart(bars, "causes", "delivery.causes")

    panels.section("delivery.table", "delivery.table.help")
    bad = tables.delivery.bad(cells)
    shown = tables.delivery.cells(bad, chosen.zone)
    panels.delivery.cells(shown, pickers.delivery.from_table(bad))

    panels.section("delivery.delays")
    delays = drawing.once(delivery.delays, states, panels.dark())
    panels.chart(delays, "delays", "delivery.delays")

    panels.section("delivery.keeping_up")
    waiting, current = data.delivery.backlog(), data.delivery.availability(chosen)
    panels.tiles(figures.delivery.keeping_up(states, waiting, current))

    panels.section("delivery.coverage", "delivery.coverage.help")
    covered = data.delivery.coverage(chosen)
    if covered.is_empty():
        panels.empty("delivery.coverage.none")
    else:
        places = drawing.once(delivery.coverage, covered, panels.dark())
        panels.chart(places, "coverage", "delivery.coverage")
