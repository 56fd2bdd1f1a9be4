"""Cases as other thresholds would have found them, from the marts alone.

The models that make cases of evidence run here as they stand in the dbt project, over views of what
is published: what they would say is what a build with those thresholds would say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import duckdb
import polars as pl

from pipeline import localtime
from pipeline.errors import UsageError
from pipeline.localtime import next_day, to_us
from pipeline.marts import thresholds
from pipeline.marts.catalogue import PROJECT
from pipeline.settings import Settings
from pipeline.storage.visible import identifier, literal

#: Marts that are read, and how many days before and after the asked ones.
READS = ("unit_minute", "fatigue_evidence", "eye_hour")
DAYS_BEFORE, DAYS_AFTER = 15, 1

#: Models in the order in which each needs those before it; the last one is the answer.
MODELS = ("staging/stg_drowsy", "staging/stg_episodes", "marts/fatigue_case")

#: What the models' sources are here. Arrival is of no matter to a case that might have been.
_VIEWS = {
    "unit_minute_rows": "SELECT * FROM unit_minute WHERE hiveperiod BETWEEN {near} AND {after}",
    "fatigue_evidence_rows": "SELECT * FROM fatigue_evidence"
    " WHERE hiveperiod BETWEEN {near} AND {after}",
    "eye_hour_rows": "SELECT * FROM eye_hour WHERE hiveperiod BETWEEN {near} AND {after}",
    "eye_days": "SELECT * FROM eye_hour",
    "objects": "SELECT NULL::BIGINT AS id, NULL::TIMESTAMPTZ AS arrived_at WHERE false",
}


def rules(current: Mapping[str, float], changed: Mapping[str, float]) -> dict[str, float]:
    """The thresholds in force with some of them changed. Raises UsageError as ``change`` does."""
    for name, value in changed.items():
        thresholds.check(name, value)
    return {**current, **changed}


def cases(
    duck: duckdb.DuckDBPyConnection,
    settings: Settings,
    span: tuple[str, str],
    districts: Iterable[str],
    limits: Mapping[str, float],
) -> pl.DataFrame:
    """One row a case of the production days ``span``, with the columns of ``fatigue_case``.

    ``duck``: a connection on which the marts of ``READS`` can be read, from ``DAYS_BEFORE`` the
    first day on. Names of cases are those of a build before the ledger names them.
    """
    days = [span[0]]
    while days[-1] < span[1]:
        days.append(next_day(days[-1]))
    parts = [(day, district) for day in days for district in districts]
    for name, frame in {
        "thresholds": pl.DataFrame([dict(limits)]),
        "days": pl.DataFrame(parts, schema=["hiveperiod", "dstrct_code"], orient="row"),
        "districts": _districts(settings, parts),
        "shifts": _shifts(settings, parts),
    }.items():
        _register(duck, name, frame)
    near, after = literal(next_day(span[0], -1)), literal(next_day(span[1], DAYS_AFTER))
    for name, query in _VIEWS.items():
        view = query.format(near=near, after=after)
        duck.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {view}")
    for model in MODELS[:-1]:
        name = model.split("/")[-1]
        duck.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql(model)}")
    answer: pl.DataFrame = duck.sql(sql(MODELS[-1])).pl()
    return answer.sort("dstrct_code", "started_at", "unitno")


def sql(model: str) -> str:
    """The text of a model, its sources and references by their bare names.

    Raises UsageError when the model needs more of dbt than that.
    """
    text = (PROJECT / "models" / f"{model}.sql").read_text(encoding="utf-8")
    text = re.sub(r"\{\{ *source\('\w+', *'(\w+)'\) *\}\}", lambda m: identifier(m[1]), text)
    text = re.sub(r"\{\{ *ref\('(\w+)'\) *\}\}", lambda m: identifier(m[1]), text)
    if "{{" in text or "{%" in text:
        raise UsageError(f"the model {model} can be run by dbt only")
    return text


def _register(duck: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame) -> None:
    duck.register("incoming", frame.to_arrow())
    duck.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
    duck.unregister("incoming")


def _districts(settings: Settings, parts: Iterable[tuple[str, str]]) -> pl.DataFrame:
    offsets = {
        district: to_us(localtime.day_span(day, settings.zone_of(district))[0]) // 1_000_000 % 3600
        for day, district in parts
    }
    schema = {"dstrct_code": pl.String, "offset_s": pl.Int64}
    return pl.DataFrame(list(offsets.items()), schema=schema, orient="row")


def _shifts(settings: Settings, parts: Iterable[tuple[str, str]]) -> pl.DataFrame:
    now, rows = to_us(datetime.now(UTC)), []
    for day, district in parts:
        start = settings.shift_start.get(district)
        edges = [to_us(x) for x in localtime.shifts(day, settings.zone_of(district), start)]
        for shift in (1, 2):
            until = min(edges[shift], now)
            if edges[shift - 1] < until:
                begin = edges[shift - 1] // 1_000_000
                rows.append((day, district, shift, begin, until // 1_000_000))
    whole = ("shift", "from_s", "until_s")
    schema = {"hiveperiod": pl.String, "dstrct_code": pl.String} | dict.fromkeys(whole, pl.Int64)
    return pl.DataFrame(rows, schema=schema, orient="row")
