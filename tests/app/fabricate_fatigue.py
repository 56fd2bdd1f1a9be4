"""What the page of fatigue events needs beside the small lake: minted cases, who drove, states."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from pipeline.localtime import next_day, to_us
from pipeline.settings import Settings
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import step
from tests.app.fabricate import DISTRICT, UNITS, Lake, fabricate

OPERATOR = "op-7"


def watched(
    settings: Settings,
    ledger: Ledger,
    *,
    units: tuple[str, ...] = UNITS,
    now: datetime | None = None,
) -> Lake:
    """The small lake with both of its cases minted: F-1, F-2, of one operator in one shift."""
    end = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    fabricate(settings, ledger, units=units, now=now)
    lake = Lake(settings, ledger, settings.zone_of(DISTRICT), units)
    starts = [end - timedelta(hours=6 - i) for i in range(6)]
    with ledger.write() as connection:
        for case in lake.cases(starts):
            connection.execute(insert(t.fatigue_cases).values(**minted(case)))
        publish(lake, connection, "operator_shift", roster(lake, starts))
    return lake


def minted(case: dict[str, Any]) -> dict[str, Any]:
    """The ledger's row of a case."""
    return {
        "id": int(case["case_id"].removeprefix("F-")),
        "operator": case["operatorid"],
        "minted_at": to_us(case["started_at"]) + 3_600_000_000,
        **{name: to_us(case[name]) for name in ("started_at", "ended_at")},
        **{name: case[name] for name in ("hiveperiod", "dstrct_code", "unitno")},
    }


def roster(lake: Lake, starts: list[datetime]) -> list[dict[str, Any]]:
    """The operator on the unit of F-1, in this shift and the two days before."""
    day, shift = lake.production_shift(starts[1] + timedelta(minutes=5))
    return [
        {
            "hiveperiod": next_day(day, -back),
            "dstrct_code": DISTRICT,
            "shift": shift,
            "operatorid": OPERATOR,
            "unitno": lake.units[0],
            "first_minute": starts[0] - timedelta(days=back),
            "last_minute": starts[-1] + timedelta(minutes=59) - timedelta(days=back),
            "observed_s": 20_000,
            "moving_s": 12_000,
            "eyes_valid_moving_s": 9_000,
            "eyes_valid_moving_by_hour_s": [1_500] * 6,
            "blind_moving_s": 3_000,
            "km": 80.0,
            "eye_km": 60.0,
            "cases": 2 if back == 0 else 0,
        }
        for back in range(3)
    ]


def publish(lake: Lake, connection: Any, name: str, rows: list[dict[str, Any]]) -> None:
    """Write rows of a mart beside what is there."""
    lake.write(connection, name, rows, step(connection, "data"))
