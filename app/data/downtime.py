"""The downtime log, as far as its districts are the asker's."""

from __future__ import annotations

from datetime import date

import polars as pl

from app import access
from app.backend import backend
from app.data.asking import demand, require
from app.data.upload import Upload
from app.filters import Filters
from pipeline.storage import downtime
from pipeline.storage.downtime import ImportResult
from queries import admin

PAGE = "downtime"


def log(filters: Filters) -> pl.DataFrame:
    """Rows that touch the days of the filters, newest first."""
    own = require(PAGE).districts
    districts = access.allowed_districts(own, filters.districts)
    return admin.downtime(backend().ledger, districts, *filters.bounds)


def covered(filters: Filters) -> pl.DataFrame:
    """What time the log covers."""
    own = require(PAGE).districts
    return admin.covered(backend().ledger, access.allowed_districts(own, filters.districts))


def take_in(upload: Upload, first: date | None, last: date | None) -> ImportResult:
    """Import a log; audited. Raises UsageError and Refused."""
    user, house = demand("change downtime"), backend()
    with upload.file(house.settings) as path:
        return downtime.import_csv(
            house.ledger, house.settings, path, who=user.username, first=first, last=last
        )
