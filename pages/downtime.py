"""Downtime log: which unit stood when and why, and what time the log covers."""

from app import data, figures, filters, panels, tables
from app.backend import backend

PAGE = "downtime"

user = data.require(PAGE)
chosen = filters.sidebar(backend(), user)
panels.header(PAGE, chosen)
panels.administration.told()

log, covered = data.downtime.log(chosen), data.downtime.covered(chosen)
panels.tiles(figures.administration.downtime(log, covered))

panels.section("downtime.log", "downtime.log.help")
shown = tables.administration.downtime(log, chosen.zone)
panels.table_or(shown, "log", "downtime.log.none")
if not shown.is_empty():
    panels.download(shown, "downtime")

panels.section("downtime.spans", "downtime.spans.help")
panels.table_or(tables.administration.covered(covered, chosen.zone), "spans", "downtime.spans.none")

if panels.administration.may("change downtime"):
    panels.section("downtime.import", "downtime.import.help")
    panels.administration.downtime_import()
