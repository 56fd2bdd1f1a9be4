"""What units do now, and what their time, fuel and counters come to. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

from app import meaning
from app.text import say
from app.tiles import NOTHING, Tile, hours, share

KEYS = ["dstrct_code", "unitno"]

STATUSES = ("reporting", "late", "silent", "parked", "never_seen")

NEED_A_LOOK = ("silent", "never_seen", "late")

NOT_REPORTING = ("late", "silent", "parked", "never_seen")


def statuses(units: pl.DataFrame) -> list[Tile]:
    """Registered units by their status now."""
    counts = dict(units["status"].value_counts().iter_rows())
    return [
        Tile(
            say(f"status.{status}"),
            f"{counts.get(status, 0):,}",
            say("fleet.of", units=f"{units.height:,}"),
            say(f"status.{status}.help"),
        )
        for status in STATUSES
    ]


def definitions(statuses: Sequence[str]) -> str:
    """What some statuses mean, in a line."""
    said = (f"{say(f'status.{name}')}: {say(f'status.{name}.help')}" for name in statuses)
    return " ".join(said)


def doing(units: pl.DataFrame) -> pl.DataFrame:
    """Units with what each does now: its last state while it reports, else its status."""
    state = pl.col("last_state").fill_null("unknown")
    return units.with_columns(
        pl.when(pl.col("status") == "reporting").then(state).otherwise("status").alias("doing")
    )


@dataclass(frozen=True)
class Only:
    """What a page is narrowed to: one unit, or the units of a status now; None: no choice."""

    units: pl.DataFrame
    unit: str | None
    status: str | None

    @property
    def now(self) -> pl.DataFrame:
        """Registered units among them, with what each does now."""
        found = doing(self.units)
        if self.unit is not None:
            return found.filter(pl.col("unitno") == self.unit)
        return found.filter(pl.col("status") == self.status) if self.status else found

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of these units. Not every unit that sends data is registered."""
        if self.unit is not None:
            return frame.filter(pl.col("unitno") == self.unit)
        if self.status is None:
            return frame
        return frame.join(self.now.select(KEYS).unique(), on=KEYS, how="semi")


def known_units(units: pl.DataFrame, totals: pl.DataFrame) -> dict[str, str]:
    """Registered units and units that brought data, in order, each with its district."""
    both = pl.concat([units.select(KEYS), totals.select(KEYS)]).unique().sort("unitno")
    return {unit: district for district, unit in both.iter_rows()}


def travellers(totals: pl.DataFrame, most: int = 8) -> tuple[str, ...]:
    """Units whose ways make up the roads of the map: in each district those that drove most."""
    ranked = totals.filter(pl.col("km") > 0).sort("km", "unitno", descending=[True, False])
    return tuple(ranked.group_by("dstrct_code").head(most)["unitno"].unique().sort().to_list())


def availability(units: pl.DataFrame) -> list[Tile]:
    """EU and use of the known time; what the downtime log tells, for the time that it covers."""
    sums = {name: float(units[name].sum()) for name in units.columns if name not in KEYS}
    known, on, moving = sums["known_s"], sums["engine_on_s"], sums["moving_s"]
    tiles = [
        Tile(
            say("fleet.eu"),
            share(on, known),
            say("fleet.eu.of", on=hours(on), known=hours(known)),
            meaning.of("fleet.eu"),
        ),
        Tile(
            say("fleet.used"),
            share(moving, known),
            say("fleet.used.of", moving=hours(moving), known=hours(known)),
            meaning.of("fleet.used", say("fleet.used.help")),
        ),
    ]
    return [*tiles, *_by_log(sums)] if sums["log_s"] else tiles


def _by_log(sums: dict[str, float]) -> list[Tile]:
    work, stood, repair, log = (sums[f"{name}_s"] for name in ("work", "standby", "repair", "log"))
    stops = round(sums["breakdowns"])
    of = say("fleet.log.of", log=hours(log), day=hours(sums["day_s"]))
    return [
        Tile(say("fleet.pa"), share(log - repair, log), of, meaning.of("fleet.pa")),
        Tile(say("fleet.ma"), share(work, work + repair), of, meaning.of("fleet.ma")),
        Tile(say("fleet.ua"), share(work, work + stood), of, meaning.of("fleet.ua")),
        Tile(
            say("fleet.mtbf"),
            f"{hours(work / stops)} h" if stops else NOTHING,
            say("fleet.mtbf.of", work=hours(work), stops=stops),
            meaning.of("fleet.mtbf"),
        ),
        Tile(
            say("fleet.mttr"),
            f"{hours(sums['breakdown_s'] / stops)} h" if stops else NOTHING,
            say("fleet.mttr.of", down=hours(sums["breakdown_s"]), stops=stops),
            meaning.of("fleet.mttr"),
        ),
    ]


def counters(totals: pl.DataFrame) -> list[Tile]:
    """One unit's hour meter, way to its service and fuel; ``totals``: at most one row."""
    row = totals.to_dicts()[0] if totals.height else dict.fromkeys(totals.columns)
    fuel, on, km = row["fuel_l"], row["engine_h"], row["km"]
    return [
        Tile(
            say("fleet.meter"),
            _number(row["engine_hours_last"], "h"),
            say("fleet.meter.of", hours=_number(on, "h")),
            meaning.of("fleet.meter"),
        ),
        Tile(
            say("fleet.to_service"),
            _number(row["service_km_last"], "km"),
            say("fleet.to_service.of", km=_number(km, "km")),
            meaning.of("fleet.to_service"),
        ),
        Tile(
            say("fleet.fuel"),
            _number(fuel / on if fuel is not None and on else None, "L/h"),
            say("fleet.fuel.of", litres=_number(fuel, "L"), hours=_number(on, "h")),
            meaning.of("fleet.fuel", say("fleet.fuel.help")),
        ),
    ]


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return NOTHING
    return f"{value:,.0f} {unit}" if unit in ("km", "L") else f"{value:,.1f} {unit}"


def began(ready: pl.DataFrame, zone: str) -> list[dict[str, object]]:
    """For each district's latest shift: values of the sentence that says what was ready."""
    found = []
    for (district, shift, start), part in ready.group_by(
        "dstrct_code", "shift", "shift_start", maintain_order=True
    ):
        counts = dict(part["state"].value_counts().iter_rows())
        on = counts.get("moving", 0) + counts.get("idle", 0)
        found.append(
            {
                "district": district,
                "shift": shift,
                "time": start.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"),
                "on": on,
                "off": counts.get("off", 0),
                "unknown": counts.get("unknown", 0),
                "units": part.height,
            }
        )
    return found
