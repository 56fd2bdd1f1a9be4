"""Units as people read them."""

from __future__ import annotations

import polars as pl

from app.figures.fleet import NEED_A_LOOK, STATUSES
from app.tables.columns import clock, hours, named, part, spelled, words
from app.text import say


def units(totals: pl.DataFrame, now: pl.DataFrame, zone: str) -> pl.DataFrame:
    """One row a unit, those that need a look first; registered units without data included."""
    status = now.select("dstrct_code", "unitno", "unittype", "status", "last_seen")
    frame = status.unique(["dstrct_code", "unitno"], keep="first").join(
        totals.drop("unittype"), on=["dstrct_code", "unitno"], how="full", coalesce=True
    )
    order = {name: i for i, name in enumerate((*NEED_A_LOOK, "reporting", "parked"))}
    rank = pl.col("status").replace_strict(order, default=9, return_dtype=pl.Int64)
    return named(
        frame.sort(rank, "unitno"),
        {
            "unit": "unitno",
            "type": "unittype",
            "status": words("status", "status"),
            "last_seen": clock("last_seen", zone, "%Y-%m-%d %H:%M"),
            "observed": hours("observed_s"),
            "moving": hours("moving_s"),
            "idle": hours("idle_s"),
            "unknown": hours("unknown_s"),
            "km": pl.col("km").round(1),
            "unobserved": pl.col("unobserved_km").round(1),
            "trips": "trips",
            "fuel": pl.col("fuel_l").round(0),
            "fuel_level": pl.col("fuel_pct_last").round(0),
            "hour_meter": pl.col("engine_hours_last").round(1),
            "service": pl.col("service_km_last").round(0),
            "cab_camera": part("cam_cabin_up_s", "observed_s"),
            "front_camera": part("cam_front_up_s", "observed_s"),
            "gps": part("gps_fix_s", "observed_s"),
            "exceedances": "exceedances",
            "district": "dstrct_code",
        },
    )


def attention(now: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Units that are silent, never seen or late, longest first."""
    frame = now.filter(pl.col("status").is_in(NEED_A_LOOK))
    return named(
        frame.sort("age_s", descending=True, nulls_last=False),
        {
            "unit": "unitno",
            "status": words("status", "status"),
            "last_seen": clock("last_seen", zone, "%Y-%m-%d %H:%M"),
            "type": "unittype",
            "district": "dstrct_code",
        },
    )


def to_act(now: pl.DataFrame, zone: str) -> pl.DataFrame:
    """The same with how long ago, what the unit did last, and what to do."""
    return named(
        by_urgency(now),
        {
            "unit": "unitno",
            "status": words("status", "status"),
            "ago": (pl.col("age_s") / 3600).round(1),
            "last_state": words("last_state", "state"),
            "to_do": words("status", "remedy"),
            "last_seen": clock("last_seen", zone, "%Y-%m-%d %H:%M"),
            "type": "unittype",
            "district": "dstrct_code",
        },
    )


def by_urgency(now: pl.DataFrame) -> pl.DataFrame:
    """Those that need a look, by status in the order of need, longest first; then the others."""
    order = {name: i for i, name in enumerate((*NEED_A_LOOK, "reporting", "parked"))}
    rank = pl.col("status").replace_strict(order, default=9, return_dtype=pl.Int64)
    return now.sort(rank, "age_s", "unitno", descending=[False, True, False], nulls_last=True)


def districts(now: pl.DataFrame) -> pl.DataFrame:
    """One row a district: units by status, those with most that need a look first."""
    status = pl.col("status")
    frame = now.group_by("dstrct_code").agg(
        pl.len().alias("units"), *(status.eq(name).sum().alias(name) for name in STATUSES)
    )
    frame = frame.sort(pl.sum_horizontal(NEED_A_LOOK), "dstrct_code", descending=[True, False])
    return frame.select(
        pl.col("dstrct_code").alias(say("column.district")),
        pl.col("units").alias(say("column.units")),
        *(pl.col(name).alias(say(f"status.{name}")) for name in STATUSES),
    )


def ready(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """What units did as the shift began; those that were not ready first, latest start on top."""
    order = {"off": 0, "unknown": 1, "idle": 2, "moving": 3}
    rank = pl.col("state").replace_strict(order, default=1, return_dtype=pl.Int64)
    wait = (pl.col("first_moved_at") - pl.col("shift_start")).dt.total_seconds() / 60
    return named(
        frame.sort(rank, wait, "unitno", descending=[False, True, False]),
        {
            "unit": "unitno",
            "at_start": words("state", "state"),
            "first_moved": clock("first_moved_at", zone, "%H:%M"),
            "wait": wait.round(0),
            "shift": "shift",
            "district": "dstrct_code",
        },
    )


def days(frame: pl.DataFrame) -> pl.DataFrame:
    """A unit's production days, newest first."""
    return named(
        frame.sort("hiveperiod", descending=True),
        {
            "day": "hiveperiod",
            "moving": hours("moving_s"),
            "idle": hours("idle_s"),
            "off": hours("off_s"),
            "inferred": hours("inferred_s"),
            "unknown": hours("unknown_s"),
            "day_h": hours("day_s"),
        },
    )


def availability(frame: pl.DataFrame, bands: pl.DataFrame) -> pl.DataFrame:
    """One row a unit, least use first; what the log does not cover is empty."""
    rows = frame.join(bands, on=["dstrct_code", "unitno"], how="left")
    covered = pl.col("log_s") > 0
    work, stood, repair = pl.col("work_s"), pl.col("standby_s"), pl.col("repair_s")
    stops = pl.when(pl.col("breakdowns") > 0).then(pl.col("breakdowns"))
    return named(
        rows.sort(pl.col("engine_on_s") / pl.col("known_s"), "unitno", nulls_last=False),
        {
            "unit": "unitno",
            "eu": part("engine_on_s", "known_s"),
            "used": part("moving_s", "known_s"),
            "known": hours("known_s"),
            "day_h": hours("day_s"),
            "idle_3_6": hours("idle_3_6_s"),
            "spells_3_6": "spells_3_6",
            "idle_6_9": hours("idle_6_9_s"),
            "spells_6_9": "spells_6_9",
            "idle_9": hours("idle_9_s"),
            "spells_9": "spells_9",
            "log_h": hours("log_s"),
            "log_delay": pl.when(covered).then(hours("delay_s")),
            "log_standby": pl.when(covered).then(hours("standby_s")),
            "log_repair": pl.when(covered).then(hours("repair_s")),
            "pa": _percent(pl.col("log_s") - repair, pl.col("log_s")),
            "ma": pl.when(covered).then(_percent(work, work + repair)),
            "ua": pl.when(covered).then(_percent(work, work + stood)),
            "mtbf": (work / 3600 / stops).round(1),
            "mttr": (pl.col("breakdown_s") / 3600 / stops).round(1),
            "district": "dstrct_code",
        },
    )


def _percent(share: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(100 * share / whole).round(1)


def service(totals: pl.DataFrame) -> pl.DataFrame:
    """Units by the way to their service, soonest first; days at the pace of the span."""
    pace = pl.when(pl.col("km") > 0).then(pl.col("km") / (pl.col("day_s") / 86_400))
    return named(
        totals.sort("service_km_last", "unitno", nulls_last=True),
        {
            "unit": "unitno",
            "service": pl.col("service_km_last").round(0),
            "service_days": (pl.col("service_km_last") / pace).clip(0).round(0),
            "hour_meter": pl.col("engine_hours_last").round(1),
            "type": "unittype",
            "district": "dstrct_code",
        },
    )


def work(totals: pl.DataFrame) -> pl.DataFrame:
    """Fuel, way and trips with the hours observed; thirstiest first."""
    on = pl.when(pl.col("engine_h") > 0).then(pl.col("engine_h"))
    km = pl.when(pl.col("km") > 0).then(pl.col("km"))
    trips = pl.when(pl.col("trips") > 0).then(pl.col("trips"))
    return named(
        totals.sort(pl.col("fuel_l") / on, "unitno", descending=[True, False], nulls_last=True),
        {
            "unit": "unitno",
            "fuel_h": (pl.col("fuel_l") / on).round(1),
            "fuel_km": (pl.col("fuel_l") / km).round(2),
            "fuel": pl.col("fuel_l").round(0),
            "engine_h": pl.col("engine_h").round(1),
            "km": pl.col("km").round(1),
            "observed": hours("observed_s"),
            "trips": "trips",
            "cycle": (pl.col("engine_h") * 60 / trips).round(1),
            "payload": (pl.col("payload_t") / trips).round(1),
            "fuel_level": pl.col("fuel_pct_last").round(0),
            "district": "dstrct_code",
        },
    )


def fuel_drops(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Standstills over which fuel went, in the order given."""
    return named(
        frame,
        {
            "unit": "unitno",
            "drop": pl.col("drop_pct").round(1),
            "before": pl.col("before_pct").round(1),
            "after": pl.col("after_pct").round(1),
            "parked_at": clock("parked_at", zone, "%Y-%m-%d %H:%M"),
            "hours_off": "hours",
            "lat": pl.col("lat").round(5),
            "lon": pl.col("lon").round(5),
            "district": "dstrct_code",
        },
    )


def parts(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Parts of devices that are not well, worst first, with what to do."""
    order = {"unwell": 0, "at_times": 1}
    rank = pl.col("state").replace_strict(order, default=2, return_dtype=pl.Int64)
    bad = (
        frame.filter(pl.col("state") != "well")
        .sort(rank, pl.col("up_s") / pl.col("observed_s"), "unitno")
        .with_columns(clock("since", zone, "%Y-%m-%d %H:%M"))
    )
    return named(
        bad,
        {
            "unit": "unitno",
            "part": words("part", "part"),
            "uptime": part("up_s", "observed_s"),
            "observed": hours("observed_s"),
            "reason": words("reason", "fault"),
            "since": spelled(bad, ("since", "at_least"), _since),
            "to_do": words("part", "remedy"),
            "device": "deviceid",
            "district": "dstrct_code",
        },
    )


def _since(since: str | None, at_least: bool) -> str | None:
    """Where it was never well in the span, it may not have been before."""
    return say("fleet.since.least", clock=since) if since and at_least else since
