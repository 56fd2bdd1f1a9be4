"""Audit: who did what, when, with what before and after. It is only added to."""

from app import data, figures, filters, panels, pickers, tables
from app.backend import backend

PAGE = "audit"

user = data.require(PAGE)
chosen = filters.own(backend(), user)
panels.header(PAGE, chosen)

wanted = pickers.audit.wanted(*data.audit.names(), chosen.zone)
entries = data.audit.entries(wanted)
panels.tiles(figures.administration.audit(entries.height, data.audit.count(wanted)))

panels.section("audit.list", "audit.list.help")
panels.table_or(tables.administration.audit(entries, chosen.zone), "entries", "audit.list.none")
panels.administration.audit_export(wanted, chosen.zone)
