"""Data delivery: what arrived, what did not, how late."""

from app import data, figures, filters, panels, tables
from app.backend import backend
from app.charts import delivery

PAGE = "data_delivery"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)

cells = data.delivery.cells(PAGE, chosen)
if cells.is_empty():
    panels.empty("empty.nothing")
else:
    panels.tiles(figures.delivery.tiles(cells))
    panels.section("delivery.grid", "delivery.grid.help")
    panels.chart(delivery.grid(cells, panels.dark()), "grid", "delivery.grid")

    panels.section("delivery.table")
    shown = tables.delivery.cells(cells, chosen.zone)
    if shown.is_empty():
        panels.note("delivery.table.none")
    else:
        panels.table(shown, "cells")
        panels.download(shown, "data_delivery")

    panels.section("delivery.delays")
    panels.chart(delivery.delays(cells, panels.dark()), "delays", "delivery.delays")
