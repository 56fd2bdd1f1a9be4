"""Devices: which are expected to deliver, on which unit, from when to when."""

from app import data, figures, filters, panels, tables
from app.backend import backend

PAGE = "devices"

user = data.require(PAGE)
chosen = filters.own(backend(), user)
panels.header(PAGE, chosen)
panels.administration.told()

register = data.devices.register()
panels.tiles(figures.administration.devices(register, data.devices.unregistered(), chosen.zone))

panels.section("devices.register", "devices.register.help")
if register.is_empty():
    panels.note("devices.register.none")
else:
    shown = tables.administration.devices(register)
    row = panels.pick(shown, "register")
    panels.download(shown, "devices")
    if row is not None and panels.administration.may("change devices"):
        panels.administration.device(register.row(row, named=True))

if panels.administration.may("change devices"):
    panels.section("devices.import", "devices.import.help")
    panels.administration.device_import()
