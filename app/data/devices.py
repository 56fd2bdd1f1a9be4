"""The device register, as far as its districts are the asker's."""

from __future__ import annotations

import polars as pl

from app.backend import backend
from app.data.asking import demand, require
from app.data.upload import Upload
from pipeline.storage import devices
from pipeline.storage.devices import ImportResult
from queries import admin

PAGE = "devices"


def register() -> pl.DataFrame:
    """One row per device and first valid day."""
    return admin.devices(backend().ledger, require(PAGE).districts)


def unregistered() -> int:
    """Devices that delivered and are not in the register."""
    return admin.unregistered(backend().ledger, require(PAGE).districts)


def take_in(upload: Upload) -> ImportResult:
    """Import a register; audited. Raises UsageError and Refused."""
    user = demand("change devices")
    with upload.file(backend().settings) as path:
        return devices.import_csv(backend().ledger, path, who=user.username)


def set_validity(deviceid: str, valid_from: str, valid_to: str | None) -> None:
    """Change a row's last valid day; audited. Raises UsageError and Refused."""
    user = demand("change devices")
    devices.set_validity(backend().ledger, deviceid, valid_from, valid_to, who=user.username)
