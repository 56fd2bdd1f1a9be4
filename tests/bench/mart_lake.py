"""A lake of many units and days, for pages to be measured on: made of one real day of a few.

The day is simulated, taken in, merged and built as any other. What would take a week to build is
made of its marts: more units are copies under other names, more days copies moved in time, packed
as a build packs them; the days before those that pages show are links to them. The ledger gets
what a service of that length leaves: a row for each raw file, each case, each file of the lake.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline import fields
from pipeline.localtime import next_day, to_us
from pipeline.marts.catalogue import MARTS
from pipeline.marts.publish import pack
from pipeline.settings import load
from pipeline.simulator import SimSpec, simulate
from pipeline.storage import devices, people
from pipeline.storage.lake import DiskLake
from pipeline.storage.ledger import open_ledger
from pipeline.storage.parquet import Writer, partition_path
from pipeline.storage.records import ANALYTICS, CLEAN, TELEMETRY
from pipeline.storage.visible import NUMBERED
from tests.bench.lakes import DAY, DISTRICT, START, Home, link

DISTRICTS = (DISTRICT, "TRGA")
#: Pages show the newest days up to the present hour; that it is evening makes every run alike.
LOCAL_HOUR = 20
#: Unpacking does not depend on it, and a build's own level takes minutes.
LEVEL = 1
PASSWORD = "correct-horse-battery"
CASES_A_DAY = 1_000
#: From midnight to the end of the production day; a shorter day begins when that does.
WHOLE_HOURS = 30
HOUR_US = 3_600_000_000
#: From a file's arrival to its commit.
TAKEN_IN_US = 20_000_000

#: Units whose hourly files lie beside those of the one that is read as the seed did.
BESIDE = 49

#: Columns that name a unit, a device or a person.
NAMES = ("unitno", "deviceid", "operatorid", "operator")


@dataclass(frozen=True)
class Fleet:
    """So many copies of the template's units, over ``days`` local days that end today.

    ``written``: days with files of their own; the days before them are links. ``now``: the moment
    beyond which nothing has happened yet.
    """

    template: Path
    target: Path
    copies: int
    days: int
    written: int
    now: datetime

    @cached_property
    def zone(self) -> str:
        """A zone in which it is evening."""
        hours = LOCAL_HOUR - self.now.hour
        hours -= 24 if hours > 14 else 0
        return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"

    @cached_property
    def today(self) -> str:
        """The last local day."""
        return self.now.astimezone(ZoneInfo(self.zone)).date().isoformat()

    def day(self, back: int) -> str:
        """The local day so many days ago."""
        return next_day(self.today, -back)

    def shift(self, back: int) -> int:
        """Microseconds between the template's day and that one."""
        begin = datetime.combine(date.fromisoformat(self.day(back)), datetime.min.time())
        return to_us(begin.replace(tzinfo=ZoneInfo(self.zone))) - to_us(START)

    def district(self, copy: int) -> str:
        """Where a copy of the units works."""
        return DISTRICTS[copy % len(DISTRICTS)]

    def environment(self) -> dict[str, str]:
        """What a process over the home needs to know."""
        return {"HAULWATCH_HOME": str(self.target), "HAULWATCH_ZONE": self.zone}


def mark(copy: int) -> str:
    """What the names of a copy begin with: copies of a unit do not stand side by side."""
    return f"{chr(65 + copy // 26)}{chr(65 + copy % 26)}-"


def template(home: Home, env: Mapping[str, str], units: int, hours: int, seed: int) -> None:
    """A day of one district, with the faults of a typical week, through the whole pipeline."""
    begin = START if hours >= WHOLE_HOURS else START + timedelta(hours=6)
    spec = SimSpec(
        units, hours, begin, seed, faults="typical", fatigue_scale=5, districts=(DISTRICT,)
    )
    simulate(spec, home.path)
    with home.ledger() as ledger:
        devices.import_csv(ledger, home.path / "register.csv")
    # The day is long past: its cases keep their operators all the same, as those of these days do.
    env = {**env, "HAULWATCH_KEEP_OPERATOR_DAYS": "36500"}
    for words in (["ingest"], ["compact"], ["build", "--date", DAY]):  # hours are due until today
        home.run(env, *words, "--json")
    shutil.rmtree(home.path / "raw")


def make(fleet: Fleet, processes: int) -> str:
    """Write lake and ledger; return the unit whose seconds are there."""
    home = Home(fleet.template)
    with home.ledger() as ledger, ledger.read() as connection:
        found = connection.exec_driver_sql(
            "SELECT dataset, path FROM data_files WHERE superseded_at IS NULL"
            f" AND hiveperiod = '{DAY}' ORDER BY dataset, id"
        ).all()
    paths: dict[str, list[str]] = {}
    for dataset, path in found:
        paths.setdefault(str(dataset), []).append(str(path))
    files: list[dict[str, Any]] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        # the largest first
        jobs = [
            pool.submit(_written, fleet, name, paths[name], district)
            for name in sorted(set(MARTS) & set(paths), key=lambda name: name != "unit_minute")
            for district in DISTRICTS[: fleet.copies]
        ]
        unit, seconds = _seconds(fleet, paths)
        files += seconds
        for job in jobs:
            files += job.result()
    _ledger(fleet, [*files, *_links(fleet, files), *_others(fleet, paths)])
    return unit


def longer(fleet: Fleet, source: Fleet) -> None:
    """The same lake with a longer history behind it: links to files, and a ledger of its own."""
    with closing(sqlite3.connect(source.target / "ledger.db")) as connection:
        connection.row_factory = sqlite3.Row
        files = [dict(row) for row in connection.execute("SELECT * FROM data_files")]
    for file in files:
        del file["id"]
        link(source.target / file["path"], fleet.target / file["path"])
    known = {(file["dataset"], file["hiveperiod"]) for file in files}
    more = [
        file
        for file in _links(fleet, [file for file in files if file["layer"] == ANALYTICS])
        if (file["dataset"], file["hiveperiod"]) not in known
    ]
    clean = [file for file in files if file["dataset"] == TELEMETRY]
    more += _links(fleet, clean)
    _ledger(fleet, [*files, *more])


def _written(fleet: Fleet, name: str, paths: list[str], district: str) -> list[dict[str, Any]]:
    """The files of a mart in one district, a day each."""
    one = pa.concat_tables(pq.read_table(fleet.template / path) for path in paths)
    copies = [copy for copy in range(fleet.copies) if fleet.district(copy) == district]
    if "unitno" not in one.column_names:  # of the district, not of units
        copies = copies[:1]
    whole = pa.concat_tables(_renamed(one, copy) for copy in copies)
    whole = _put(whole, "dstrct_code", pa.repeat(district, whole.num_rows)).combine_chunks()
    return [
        file
        for back in range(fleet.written)
        if (file := _day(fleet, name, whole, district, back, copies, one.num_rows))
    ]


def _day(
    fleet: Fleet,
    name: str,
    whole: pa.Table,
    district: str,
    back: int,
    copies: Sequence[int],
    height: int,
) -> dict[str, Any] | None:
    day, shift = fleet.day(back), fleet.shift(back)
    table = _put(whole, "hiveperiod", pa.repeat(day, whole.num_rows))
    times = {field.name for field in whole.schema if pa.types.is_timestamp(field.type)}
    for moment in times:
        table = _put(table, moment, _later(table[moment], shift))
    if "hour" in table.column_names:
        begin = pa.scalar(day.replace("-", ""))
        hour = pc.binary_join_element_wise(begin, pc.utf8_slice_codeunits(table["hour"], 8), "")
        table = _put(table, "hour", hour)
        key = pc.binary_join_element_wise(
            table["dstrct_code"], table["deviceid"], hour, pc.binary_join_element_wise(
                hour, pa.scalar(".txt.gz"), ""), "/",
        )  # fmt: skip
        table = _put(table, "key", pc.if_else(pc.is_valid(table["key"]), key, None))
    if "case_id" in table.column_names:
        numbers = pc.cast(pc.utf8_slice_codeunits(table["case_id"], 2), pa.int64())
        first = [CASES_A_DAY * (back * fleet.copies + copy) for copy in copies]
        offsets = pa.array([number for number in first for _ in range(height)], pa.int64())
        ids = pc.cast(pc.add(numbers, offsets), pa.string())
        table = _put(table, "case_id", pc.binary_join_element_wise(pa.scalar("F-"), ids, ""))
    moments = [key for key in MARTS[name].key if key in times]
    moments += times & {"started_at"}  # of what has a name of its own: a case
    if back == 0 and moments:
        table = table.filter(pc.less(table[moments[0]], pa.scalar(fleet.now)))
    if not table.num_rows:
        return None
    path = partition_path(ANALYTICS, name, day, district, f"bench-0{NUMBERED}")
    (fleet.target / path).parent.mkdir(parents=True, exist_ok=True)
    pack(table, fleet.target / path, LEVEL)
    return _file(fleet, ANALYTICS, name, path, day, district, table.num_rows)


def _seconds(fleet: Fleet, paths: Mapping[str, list[str]]) -> tuple[str, list[dict[str, Any]]]:
    """Seconds of the unit with most exceedances: merged for the lake, by the hour for the seed."""
    days = pa.concat_tables(pq.read_table(fleet.template / path) for path in paths["unit_day"])
    worst = days.sort_by([("exceedances", "descending"), ("unitno", "ascending")])
    unit = worst["unitno"][0].as_py()
    schema = fields.arrow_schema({})
    one = pa.concat_tables(
        pq.read_table(fleet.template / path, filters=[("unitno", "=", unit)])
        for path in paths[TELEMETRY]
    )
    one = _renamed(one.select(schema.names).cast(schema), 0).sort_by("ts")
    files = []
    beside = _beside(fleet, paths, unit)
    for back in range(fleet.written):
        day, name = fleet.day(back), f"{back}.parquet"
        table = _put(one, "ts", _later(one["ts"], fleet.shift(back)))
        table = _put(table, "hiveperiod", pa.repeat(day, table.num_rows))
        if back == 0:
            table = table.filter(pc.less(table["ts"], pa.scalar(fleet.now)))
        path = partition_path(CLEAN, TELEMETRY, day, DISTRICT, name)
        _write(fleet.target, path, schema, [table])
        new = _file(fleet, CLEAN, TELEMETRY, path, day, DISTRICT, table.num_rows)
        first, last = (to_us(edge(table["ts"]).as_py()) for edge in (pc.min, pc.max))
        unit_now = table["unitno"][0].as_py()
        files.append(new | {"units": json.dumps([unit_now]), "min_ts": first, "max_ts": last})
        for number, hour in enumerate(_hours(table)):
            path = partition_path("hourly", TELEMETRY, day, DISTRICT, f"{number}.parquet")
            _write(fleet.target, path, schema, [hour])
            for copy in range(BESIDE):
                link(beside, fleet.target / path.replace(".parquet", f"-{copy}.parquet"))
    return mark(0) + unit, files


def _beside(fleet: Fleet, paths: Mapping[str, list[str]], unit: str) -> Path:
    """A file of an hour of another unit: the seed opens such a one to see that it is another's."""
    schema = fields.arrow_schema({})
    others = pq.read_table(fleet.template / paths[TELEMETRY][0], filters=[("unitno", "!=", unit)])
    other = others.filter(pc.equal(others["unitno"], others["unitno"][0]))
    hour = next(_hours(other.select(schema.names).cast(schema)))
    _write(fleet.target, "beside.parquet", schema, [hour])
    return fleet.target / "beside.parquet"


def _hours(table: pa.Table) -> Iterator[pa.Table]:
    hours = pc.floor_temporal(table["ts"], unit="hour")
    for hour in pc.unique(hours):
        yield table.filter(pc.equal(hours, hour))


def _write(root: Path, path: str, schema: pa.Schema, groups: Sequence[pa.Table]) -> None:
    with Writer(DiskLake(root), path, schema, 3) as writer:
        for group in groups:
            writer.write(group)
        writer.close()


def _others(fleet: Fleet, paths: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """Merged files of all other units: links to the template's, whose rows nobody asks for."""
    files = []
    for back in range(fleet.days):
        day, shift = fleet.day(back), fleet.shift(back)
        first = to_us(START) + shift
        for copy in range(fleet.copies):
            for number, one in enumerate(paths[TELEMETRY]):
                name = f"others-{copy}-{number}.parquet"
                path = partition_path(CLEAN, TELEMETRY, day, fleet.district(copy), name)
                link(fleet.template / one, fleet.target / path)
                new = _file(fleet, CLEAN, TELEMETRY, path, day, fleet.district(copy), 1)
                span = {"min_ts": first, "max_ts": first + 24 * HOUR_US - 1}
                files.append(new | span | {"units": json.dumps([mark(copy)])})
    return files


def _links(fleet: Fleet, files: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Older days, each a link to one of those written (but today, which is not whole)."""
    by_day: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        by_day.setdefault(file["hiveperiod"], []).append(file)
    more = []
    for back in range(fleet.written, fleet.days):
        day = fleet.day(back)
        whole = fleet.day(1 + back % (fleet.written - 1)) if fleet.written > 1 else fleet.today
        moved = fleet.shift(back) - fleet.shift(1 + back % max(fleet.written - 1, 1))
        for file in by_day[whole]:
            path = file["path"].replace(f"hiveperiod={whole}", f"hiveperiod={day}")
            link(fleet.target / file["path"], fleet.target / path)
            times = {name: file[name] and file[name] + moved for name in ("min_ts", "max_ts")}
            more.append(file | {"path": path, "hiveperiod": day} | times)
    return more


def _file(
    fleet: Fleet, layer: str, name: str, path: str, day: str, district: str, rows: int
) -> dict[str, Any]:
    """A row of ``data_files``."""
    return {
        "claim_id": "bench", "layer": layer, "dataset": name, "path": path, "hiveperiod": day,
        "dstrct_code": district, "rows": rows, "bytes": (fleet.target / path).stat().st_size,
        "min_ts": None, "max_ts": None, "units": "[]", "hidden": 0, "compacted": layer == CLEAN,
        "committed_at": to_us(fleet.now), "version": 1, "superseded_at": None,
    }  # fmt: skip


def _renamed(table: pa.Table, copy: int) -> pa.Table:
    for name in NAMES:
        if name in table.column_names:
            coded = table[name].combine_chunks().dictionary_encode()
            words = [word and mark(copy) + word for word in coded.dictionary.to_pylist()]
            renamed = pa.DictionaryArray.from_arrays(coded.indices, pa.array(words, pa.string()))
            table = _put(table, name, renamed.dictionary_decode())
    return table


def _later(times: pa.ChunkedArray, by: int) -> pa.ChunkedArray:
    return pc.add(times.cast(pa.int64()), by).cast(times.type)


def _put(table: pa.Table, name: str, values: Any) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), values)


def _ledger(fleet: Fleet, files: Sequence[dict[str, Any]]) -> None:
    """The template's ledger with its rows for each copy and day, and the lake's files."""
    path = fleet.target / "ledger.db"
    fleet.target.mkdir(parents=True, exist_ok=True)
    with (
        closing(sqlite3.connect(fleet.template / "ledger.db")) as source,
        closing(sqlite3.connect(path)) as target,
    ):
        source.backup(target)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
            connection.execute(f"PRAGMA {pragma}")
        _spans(connection, fleet)
        indexes = _without_indexes(connection)
        for table in ("data_files", "file_sources", "beaten", "partitions", "zones"):
            connection.execute(f"DELETE FROM {table}")
        for table, changed in _multiplied(fleet).items():
            _multiply(connection, table, changed)
        for statement in indexes:
            connection.execute(statement)
        names = list(files[0])
        connection.executemany(
            f"INSERT INTO data_files ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})",
            [tuple(file[name] for name in names) for file in files],
        )
        # Of the one unit whose seconds are there; the others' are never asked for.
        connection.execute(
            "INSERT INTO file_sources (file_id, src, deviceid, rows, hidden, min_ts, max_ts)"
            " SELECT f.id, o.id, o.deviceid, o.accepted, 0, o.min_ts, o.max_ts"
            " FROM data_files AS f JOIN raw_objects AS o ON o.deviceid ="
            " (SELECT deviceid FROM devices WHERE unitno = json_extract(f.units, '$[0]'))"
            " AND o.min_ts BETWEEN f.min_ts AND f.max_ts"
            f" WHERE f.dataset = '{TELEMETRY}'"
        )
        connection.execute(
            "INSERT INTO partitions (hiveperiod, dstrct_code, data_version, context_version,"
            " closed_hours, compacted_version, built_version, built_at)"
            f" SELECT DISTINCT day, district, 1, 0, 24, 1, 1, {to_us(fleet.now)} FROM spans"
        )
        connection.execute(f"INSERT INTO zones SELECT DISTINCT district, '{fleet.zone}' FROM spans")
        connection.execute(
            "UPDATE runs SET started_at = (SELECT min(arrived_at) FROM raw_objects)"
            " WHERE id = (SELECT min(id) FROM runs)"
        )
        connection.execute("DROP TABLE spans")
        connection.execute("PRAGMA journal_mode=WAL")
    ledger = open_ledger(load(home=fleet.target, lake=str(fleet.target), zone=fleet.zone))
    for role in people.ROLES:
        people.add_user(ledger, f"the-{role}", role.title(), role, PASSWORD)
    ledger.close()


def _spans(connection: sqlite3.Connection, fleet: Fleet) -> None:
    """Every copy on every day, and what that changes."""
    connection.execute(
        "CREATE TABLE spans (n INTEGER, copy INTEGER, back INTEGER, mark TEXT, district TEXT,"
        " day TEXT, digits TEXT, shift INTEGER)"
    )
    connection.executemany(
        "INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                back * fleet.copies + copy, copy, back, mark(copy), fleet.district(copy),
                fleet.day(back), fleet.day(back).replace("-", ""), fleet.shift(back),
            )
            for copy in range(fleet.copies)
            for back in range(fleet.days)
        ],
    )  # fmt: skip


def _multiplied(fleet: Fleet) -> dict[str, tuple[dict[str, str], str]]:
    """Table → expressions for columns that change, and which rows of the template."""
    device, hour = "mark || deviceid", "digits || substr(hour, 9)"
    key = f"spans.district || '/' || {device} || '/' || {hour} || '/' || {hour} || '.txt.gz'"
    named = {"deviceid": device, "unitno": "mark || unitno", "dstrct_code": "spans.district"}
    times = ("arrived_at", "seen_at", "rank_at", "min_ts", "max_ts")
    moved = {name: f"old.{name} + shift" for name in times}
    # The template was taken in and built all at once, long after its day.
    moved["committed_at"] = f"{moved['arrived_at']} + {TAKEN_IN_US}"
    raw = {**named, **moved, "key": key, "hour": hour, "district": "spans.district"}
    came = f"substr(hour, 1, 8) = '{DAY.replace('-', '')}' AND arrived_at + shift < {_us(fleet)}"
    case_times = ("started_at", "ended_at", "withdrawn_at")
    cases = {name: f"old.{name} + shift" for name in case_times} | {
        **named,
        "minted_at": f"old.ended_at + shift + {HOUR_US}",
        "hiveperiod": "day",
        "operator": "mark || operator",
        "id": f"old.id + {CASES_A_DAY} * n",
    }
    return {
        "raw_keys": (raw, came),
        "raw_objects": (raw | {"id": "old.rowid + 100000 * n"}, came),
        "devices": (named | {"valid_from": "'2020-01-01'"}, "back = 0"),
        "fatigue_cases": (cases, f"hiveperiod = '{DAY}' AND started_at + shift < {_us(fleet)}"),
    }


def _us(fleet: Fleet) -> int:
    return to_us(fleet.now.astimezone(UTC))


def _multiply(
    connection: sqlite3.Connection, table: str, changed: tuple[dict[str, str], str]
) -> None:
    expressions, where = changed
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.execute(f"CREATE TEMP TABLE old AS SELECT * FROM {table}")
    connection.execute(f"DELETE FROM {table}")
    chosen = ", ".join(expressions.get(name, f"old.{name}") for name in columns)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM spans, old"
        f" WHERE {where} ORDER BY back DESC"
    )
    connection.execute("DROP TABLE old")


def _without_indexes(connection: sqlite3.Connection) -> list[str]:
    """Drop the indexes that are quicker made anew than kept; return what makes them."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name IN ('raw_keys', 'raw_objects')"
    )
    found = connection.execute(query).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    return [statement for _, statement in found]
