"""Adopting a lake: messy files of known rows; every one of them has its place and its count."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from pipeline import steps
from pipeline.adopt import run as adopting
from pipeline.adopt.fit import fit
from pipeline.adopt.lake import find
from pipeline.adopt.run import AdoptResult, Busy
from pipeline.errors import UsageError
from pipeline.fields import json_schema
from pipeline.flow import Flow
from pipeline.gc import orphans
from pipeline.marts.build import build
from pipeline.marts.catalogue import MARTS
from pipeline.settings import Settings, load
from pipeline.simulator import DEFAULT_START, SimSpec, simulate
from pipeline.storage import claims, devices
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger, open_ledger
from pipeline.verify import verify
from tests.conftest import Run
from tests.ingest.test_run import visible
from tests.make import deliver, epoch, rows
from tests.marts.test_marts import ask
from tests.test_cli import answer, complaint

HOUR, NEXT = "2026013107", "2026013108"
DAY, BEFORE = "2026-01-31", "2026-01-30"
#: When the lake's files were written: after the raw files had come, as it is.
WRITTEN = epoch(HOUR) + 40 * 86400


def source_of(hour: str, device: str = "HW-1", district: str = "MLKB") -> str:
    return f"s3://bucket/datalog/{district}/{device}/{hour}/{hour}.txt.gz"


def key_of(hour: str, device: str = "HW-1", district: str = "MLKB") -> str:
    return f"{district}/{device}/{hour}/{hour}.txt.gz"


def put(
    lake: Path,
    day: str,
    name: str,
    columns: dict[str, pa.Array],
    *,
    district: str = "MLKB",
    written: int = WRITTEN,
    **options: Any,
) -> Path:
    """Write one file of a lake."""
    path = lake / f"hiveperiod={day}" / f"dstrct_code={district}" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_arrays(list(columns.values()), list(columns)), path, **options)
    os.utime(path, (written, written))
    return path


def made(hour: str, seconds: int = 10, device: str = "HW-1", **values: Any) -> dict[str, pa.Array]:
    """Columns of a clean file with one raw file's rows, as the lake's writer leaves them."""
    lines = rows(hour, seconds, device, **values)
    names = [name for name in lines[0] if name != "dstrct_code"]
    columns = {name: pa.array([line[name] for line in lines]) for name in names}
    columns["source_file"] = pa.array([source_of(hour, device)] * seconds)
    return columns


def adopt(flow: Flow, lake: Path, *, dry_run: bool = False) -> AdoptResult:
    return flow.adopt(find(str(lake), flow.settings), dry_run=dry_run, who="tester")


def sound(ledger: Ledger, settings: Settings) -> None:
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches
    assert not orphans(ledger, settings)


def live_objects(ledger: Ledger) -> dict[str, Any]:
    o = t.raw_objects.c
    with ledger.read() as connection:
        found = connection.execute(select(t.raw_objects).where(o.dead_at.is_(None))).all()
    assert len({(row.key, row.sha256) for row in found}) == len(found)
    return {row.key: row for row in found}


def speeds(settings: Settings, ledger: Ledger) -> dict[tuple[str, int], float | None]:
    found = visible(settings, ledger, "deviceid, epoch_us(ts), VehicleSpeed")
    seen = {(device, us): speed for device, us, speed in found}
    assert len(seen) == len(found)
    return seen


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    folder = tmp_path / "lake"
    folder.mkdir()
    return folder


@pytest.fixture
def messy(lake: Path) -> Path:
    """Everything at once; what must come of it is written down in the test that adopts it."""
    at = epoch(HOUR)
    # a: 6 rows in the folder of the day before, of one raw file, whole numbers, one second twice
    put(
        lake,
        BEFORE,
        "a",
        {
            "heartbeat": pa.array([at, at + 1, at + 2, at + 1, at + 3, at + 4], pa.int64()),
            "deviceid": pa.array(["HW-1"] * 6),
            "unitno": pa.array(["DT101"] * 6).dictionary_encode(),
            "VehicleSpeed": pa.array([10, 11, 12, 99, -9999, None], pa.int32()),
            "ParkingBrake": pa.array([True, False, None, None, None, None]),
            "source_file": pa.array([source_of(HOUR)] * 6),
            "datetime_wita": pa.array(
                [datetime(2026, 1, 31, 7, 0, s) for s in (0, 1, 2, 1, 59, 4)], pa.timestamp("us")
            ),
        },
    )
    # b: text of numbers, sentinels in every spelling, milliseconds; unknown columns; two devices
    put(
        lake,
        DAY,
        "b",
        {
            "heartbeat": pa.array([(at + i) * 1000 for i in range(8)], pa.int64()),
            "DEVICEID": pa.array(["HW-2"] * 6 + ["HW-3"] * 2),
            "VehicleSpeed": pa.array(
                ["1.5", "-9999", "-9999.0", " -9999.00", "null", "fast", '"-9999"', "7"]
            ),
            "unittype": pa.array(["dump", "-9999", "-9999.0", None, "bus", "dump", "dump", "dump"]),
            "Novelty": pa.array([0.5, None, None, None, None, None, None, None]),
            "Nothing": pa.nulls(8),
            "hiveperiod": pa.array(["1999-01-01"] * 8),
            "source_file": pa.array([source_of(HOUR, "HW-2")] * 6 + [source_of(HOUR, "HW-3")] * 2),
        },
    )
    # c: microseconds as float, a numeric device, no source_file, two local hours
    put(
        lake,
        DAY,
        "c",
        {
            "heartbeat": pa.array([(at + s) * 1e6 for s in (0, 1, 3600)], pa.float64()),
            "deviceid": pa.array([7001, 7001, 7001]),
            "VehicleSpeed": pa.array([1.0, math.nan, math.inf]),
            "NOVELTY": pa.array([1, 2, 3]),
        },
    )
    # d: nanoseconds as text among what is no time; rows whose device nobody knows
    put(
        lake,
        DAY,
        "d",
        {
            "heartbeat": pa.array(
                [str(at * 10**9), None, "", "soon", "-9999", "4102444800", "1000000000"]
                + [str(at)] * 2
                + [None]
            ),
            "deviceid": pa.array(["HW-4"] * 7 + [None, "-9999", None]),
            "VehicleSpeed": pa.array([4.0] * 10),
            "datetime_wita": pa.array(["2026-01-31 07:00:00"] * 10),
            "source_file": pa.array([source_of(HOUR, "HW-4")] * 7 + [None, "", "elsewhere.csv"]),
        },
    )
    # e: times as timestamps, with a zone; in another district
    put(
        lake,
        DAY,
        "e",
        {
            "heartbeat": pa.array(
                [datetime.fromtimestamp(at + i, UTC) for i in range(3)], pa.timestamp("ms", "UTC")
            ),
            "deviceid": pa.array(["HW-5"] * 3),
            "VehicleSpeed": pa.array([5.0, 300.0, 5.0]),
            "dstrct_code": pa.array(["SBRN", "SBRN", "MLKB"]),
            "source_file": pa.array([source_of(HOUR, "HW-5", "SBRN")] * 3),
        },
        district="SBRN",
    )
    # f: no rows.  g: no Parquet.  h: no heartbeat
    put(
        lake,
        DAY,
        "f",
        {"heartbeat": pa.array([], pa.int64()), "deviceid": pa.array([], pa.string())},
    )
    (lake / f"hiveperiod={DAY}" / "dstrct_code=MLKB" / "g.parquet").write_bytes(b"PAR1 it is not")
    put(lake, DAY, "h", {"deviceid": pa.array(["HW-6"])})
    # i: two rows of a again, one of them with another value, written later
    again = {
        "heartbeat": pa.array([at + 2, at + 3], pa.int64()),
        "deviceid": pa.array(["HW-1"] * 2),
        "VehicleSpeed": pa.array([12.0, 3.0]),
        "source_file": pa.array([source_of(HOUR)] * 2),
    }
    put(lake, DAY, "i", again, written=WRITTEN + 60)
    (lake / "_SUCCESS").touch()
    (lake / "readme.txt").write_text("ours")
    pq.write_table(pa.table({"heartbeat": [at]}), lake / "stray.parquet")
    return lake


EXPECTED = {
    "files": {"ok": 7, "corrupt": 0, "failed": 2, "unchanged": 0, "copy": 0},
    # a 6 + b 8 + c 3 + d 10 + e 3 + i 2; a: one second twice; d: all rows but one
    "rows": {"total": 32, "accepted": 22, "duplicate": 1, "quarantined": 9, "blank": 0},
    "replaced": 0,
    "known": 0,
    # HW-1 twice, HW-2, HW-3, 7001 twice, HW-4, HW-5
    "objects": 8,
    # a: ParkingBrake of 2 rows, one of which was sent again; b: fast; c: inf; e: 300, district
    "rescued": 5,
    "quarantined": {"clock": 2, "device": 2, "heartbeat": 5},
    "redated": [{"from": BEFORE, "to": DAY, "rows": 5}],
    "datetime_wita_differs": 1,
    "unknown_columns": {"Novelty": "DOUBLE"},
    "new_fields": ["Novelty"],
    "skipped": {
        "_SUCCESS": "no Parquet file by its name",
        "readme.txt": "no Parquet file by its name",
        "stray.parquet": "not in a folder hiveperiod=…/dstrct_code=…",
    },
}


def figures(result: AdoptResult) -> dict[str, Any]:
    shown = result.as_json()
    assert set(shown.pop("failed")) == {
        f"hiveperiod={DAY}/dstrct_code=MLKB/{name}.parquet" for name in ("g", "h")
    }
    for name in ("url", "dry_run", "seconds", "overlapped"):
        del shown[name]
    return shown


def test_every_row_of_a_messy_lake_has_its_place(
    messy: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    before = {path: path.stat().st_mtime_ns for path in messy.rglob("*")}
    result = adopt(flow, messy)
    assert figures(result) == EXPECTED
    assert result.overlapped == 2
    sound(ledger, settings)
    at = epoch(HOUR) * 10**6
    assert speeds(settings, ledger) == {
        ("HW-1", at): 10.0,
        ("HW-1", at + 1_000_000): 99.0,  # the last of a second counts
        ("HW-1", at + 2_000_000): 12.0,
        ("HW-1", at + 3_000_000): 3.0,  # the file written later counts
        ("HW-1", at + 4_000_000): None,
        ("HW-2", at): 1.5,
        **{("HW-2", at + i * 1_000_000): None for i in range(1, 6)},
        ("HW-3", at + 6_000_000): None,
        ("HW-3", at + 7_000_000): 7.0,
        ("7001", at): 1.0,
        ("7001", at + 1_000_000): None,
        ("7001", at + 3_600_000_000): None,
        ("HW-4", at): 4.0,
        ("HW-5", at): 5.0,
        ("HW-5", at + 1_000_000): None,
        ("HW-5", at + 2_000_000): 5.0,
    }
    assert {row[0] for row in visible(settings, ledger, "hiveperiod")} == {DAY}
    kept = visible(settings, ledger, "deviceid, _line, _rescued", "_rescued IS NOT NULL")
    assert sorted((device, line, json.loads(text)) for device, line, text in kept) == [
        ("7001", 3, {"VehicleSpeed": "inf"}),
        ("HW-1", 1, {"ParkingBrake": True}),
        ("HW-2", 6, {"VehicleSpeed": "fast"}),
        ("HW-5", 2, {"VehicleSpeed": 300.0}),
        ("HW-5", 3, {"dstrct_code": "MLKB"}),
    ]
    assert sorted(visible(settings, ledger, "deviceid, Novelty", "Novelty IS NOT NULL")) == [
        ("7001", 1.0),
        ("7001", 2.0),
        ("7001", 3.0),
        ("HW-2", 0.5),
    ]
    types = visible(settings, ledger, "unittype", "deviceid = 'HW-2' ORDER BY ts")
    assert [row[0] for row in types] == ["dump", None, None, None, "bus", "dump"]
    assert {path: path.stat().st_mtime_ns for path in messy.rglob("*")} == before


def test_where_a_row_came_from_can_be_said(
    messy: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """``_src`` → key → source_file, and by the content's hash the Parquet file."""
    adopt(flow, messy)
    o = t.raw_objects.c
    with ledger.read() as connection:
        objects = {row.id: row for row in connection.execute(select(t.raw_objects))}
    files = {row.sha256: row.key for row in objects.values() if not row.deviceid and row.sha256}
    came = {
        (device, objects[src].key, files[objects[src].sha256], line)
        for device, src, line in visible(settings, ledger, "deviceid, _src, _line")
    }
    folder = f"adopted/hiveperiod={DAY}/dstrct_code=MLKB"
    assert (
        "HW-1",
        key_of(HOUR),
        f"adopted/hiveperiod={BEFORE}/dstrct_code=MLKB/a.parquet",
        4,
    ) in came
    assert ("HW-1", key_of(HOUR), f"{folder}/i.parquet", 2) in came
    assert ("HW-3", key_of(HOUR, "HW-3"), f"{folder}/b.parquet", 8) in came
    assert ("7001", f"{folder}/c.parquet/7001/{NEXT}", f"{folder}/c.parquet", 3) in came
    assert len(came) == 20
    with ledger.read() as connection:
        k = t.raw_keys.c
        known = {row.key: row for row in connection.execute(select(t.raw_keys))}
        named = connection.execute(select(o.key).where(o.deviceid != "").distinct()).all()
        assert set(known) == {row[0] for row in named}
        assert {row.state for row in known.values()} == {"done"}
        assert not connection.execute(select(k.key).where(k.claim_id.is_not(None))).all()
        entry = connection.execute(select(t.audit)).one()
        run = connection.execute(select(t.runs)).one()
    assert (entry.who, entry.what, entry.subject) == ("tester", "adopt", str(messy))
    assert (run.kind, run.status) == ("adopt", "failed")  # two files could not be read


def test_rows_without_time_or_device_are_kept_as_they_were(
    messy: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    adopt(flow, messy)
    found = []
    for path in sorted((settings.lake_root / "quarantine").rglob("*.parquet")):
        found += pq.read_table(path).to_pylist()
    file = f"adopted/hiveperiod={DAY}/dstrct_code=MLKB/d.parquet"
    assert sorted((row["line"], row["reason"], row["key"]) for row in found) == [
        *((n, "heartbeat", key_of(HOUR, "HW-4")) for n in (2, 3, 4, 5)),
        *((n, "clock", key_of(HOUR, "HW-4")) for n in (6, 7)),
        (8, "device", file),
        (9, "device", file),
        (10, "heartbeat", file),
    ]
    by_line = {row["line"]: json.loads(row["bytes"]) for row in found}
    assert by_line[4] == {
        "heartbeat": "soon",
        "deviceid": "HW-4",
        "VehicleSpeed": 4.0,
        "datetime_wita": "2026-01-31 07:00:00",
        "source_file": source_of(HOUR, "HW-4"),
    }


def test_a_dry_run_says_the_same_and_changes_nothing(
    messy: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    def everything() -> Any:
        with ledger.read() as connection:
            tables = [connection.execute(select(table)).all() for table in t.metadata.sorted_tables]
        return tables, sorted(p for p in settings.home.rglob("*") if "ledger" not in p.name)

    before = everything()
    dry = adopt(flow, messy, dry_run=True)
    assert everything() == before
    assert figures(dry) == figures(adopt(flow, messy)) == EXPECTED


def test_the_same_again_is_unchanged(
    messy: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    adopt(flow, messy)
    before = visible(settings, ledger, "*", "true ORDER BY deviceid, ts")
    for path in messy.rglob("a.parquet"):
        os.utime(path, (WRITTEN + 5, WRITTEN + 5))  # a copy of a lake has other times
    again = adopt(flow, messy)
    assert +again.files == {"unchanged": 7, "failed": 2}
    assert again.rows.total() == 0
    assert visible(settings, ledger, "*", "true ORDER BY deviceid, ts") == before
    sound(ledger, settings)
    broken = next(messy.rglob("g.parquet"))
    broken.write_bytes(next(messy.rglob("f.parquet")).read_bytes())
    assert +adopt(flow, messy).files == {"unchanged": 7, "failed": 1, "copy": 1}
    o = t.raw_objects.c
    with ledger.read() as connection:
        dead = o.dead_at.is_(None) & (o.status == "failed")
        assert len(connection.execute(select(o.key).where(dead)).all()) == 1
    sound(ledger, settings)


def test_the_raw_file_takes_the_place_of_what_a_lake_made_of_it(
    lake: Path, raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """Before and after: the order in which they come does not matter."""
    put(lake, DAY, "a", made(HOUR, 10, VehicleSpeed=1.0))
    put(lake, DAY, "b", made(NEXT, 10, VehicleSpeed=2.0))
    put(lake, DAY, "c", made("2026013109", 10, VehicleSpeed=3.0))
    first = key_of(HOUR)
    deliver(raw, HOUR, rows(HOUR, 5, VehicleSpeed=77.0))
    flow.ingest()
    result = adopt(flow, lake)
    assert (result.rows["accepted"], result.replaced, result.overlapped) == (30, 10, 0)
    assert live_objects(ledger)[first].lines == 5
    deliver(raw, NEXT, rows(NEXT, 5, VehicleSpeed=88.0))
    # another hour's file with the same seconds: raw rows beat adopted ones, although they are older
    deliver(raw, "2026013110", rows("2026013109", 4, VehicleSpeed=99.0))
    assert flow.ingest().files["ok"] == 2
    seen = speeds(settings, ledger)
    per = {
        hour: [v for (_, us), v in sorted(seen.items()) if us // 10**6 - epoch(hour) in range(10)]
        for hour in (HOUR, NEXT, "2026013109")
    }
    assert per[HOUR] == [77.0] * 5
    assert per[NEXT] == [88.0] * 5
    assert per["2026013109"] == [99.0] * 4 + [3.0] * 6
    sound(ledger, settings)
    assert +adopt(flow, lake).files == {"unchanged": 3}
    assert speeds(settings, ledger) == seen


def test_adopted_days_are_compacted_like_others(
    messy: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    adopt(flow, messy)
    before = visible(settings, ledger, "* EXCLUDE (_src)", "true ORDER BY deviceid, ts")
    assert flow.compact(now=datetime(2026, 2, 3, tzinfo=UTC)).days == [f"{DAY}/MLKB", f"{DAY}/SBRN"]
    assert visible(settings, ledger, "* EXCLUDE (_src)", "true ORDER BY deviceid, ts") == before
    assert verify(ledger, settings).ok


def test_a_large_file_is_taken_in_parts(
    lake: Path,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows of many raw files, mixed, more than a part may have; no part splits a raw file."""
    monkeypatch.setattr(adopting, "PART_ROWS", 50)
    lines = [
        {**row, "source_file": source_of(hour, device)}
        for hour in (HOUR, NEXT)
        for device in ("HW-1", "HW-2", "HW-3")
        for row in rows(hour, 30, device)
    ]
    lines.append({**lines[0], "deviceid": None, "source_file": None})
    random.Random(3).shuffle(lines)
    names = list(lines[0])
    columns = {name: pa.array([line[name] for line in lines]) for name in names}
    columns["unitno"] = columns["unitno"].dictionary_encode()
    put(lake, DAY, "mixed", columns, row_group_size=40)
    result = adopt(flow, lake)
    assert (result.objects, result.files["ok"]) == (6, 1)
    assert +result.rows == {"total": 181, "accepted": 180, "quarantined": 1}
    assert result.bad == {"device": 1}
    with ledger.read() as connection:
        commits = connection.execute(select(t.claims).where(t.claims.c.kind == "adopt")).all()
        assert len(commits) == 6  # 30 rows each: two would be more than 50
        assert {row.outcome for row in commits} == {"committed"}
    numbers = {
        (device, us): line
        for device, us, line in visible(settings, ledger, "deviceid, epoch_us(ts), _line")
    }
    wanted = [(n, x) for n, x in enumerate(lines, 1) if x["deviceid"]]
    assert numbers == {(x["deviceid"], x["heartbeat"] * 10**6): n for n, x in wanted}
    sound(ledger, settings)
    assert not list((settings.lake_root / "tmp").glob("adopt-*"))


def test_unknown_columns_beyond_the_days_limit_are_rescued(
    lake: Path, settings: Settings, ledger: Ledger
) -> None:
    put(lake, DAY, "a", made(HOUR, 2, Zero=0, One="x", Two=[1, 2]))
    tight = settings.model_copy(update={"new_fields_a_day": 2})
    with Flow(tight, ledger) as flow:
        dry, real = adopt(flow, lake, dry_run=True), adopt(flow, lake)
    for result in (dry, real):
        assert result.unknown == {"Zero": "DOUBLE", "One": "VARCHAR", "Two": "VARCHAR"}
        assert (result.new_fields, result.rescued) == (["Zero", "One"], 2)
    assert visible(settings, ledger, "Zero, One, _rescued") == [(0.0, "x", '{"Two": "[1, 2]"}')] * 2


def test_columns_of_one_name_in_two_cases(lake: Path, settings: Settings) -> None:
    names = ["VehicleSpeed", "vehiclespeed", "heartbeat"]
    columns = [pa.array([1.0, 2.0, None]), pa.array([None, 3.0, 4.0]), pa.array([1, 2, 3])]
    frame = fit(pa.Table.from_arrays(columns, names), json_schema(), ())
    assert frame["VehicleSpeed"].to_list() == [1.0, 3.0, 4.0]
    assert frame["_rescued"].to_list() == [None, '{"vehiclespeed": 2.0}', None]


def test_only_lakes_are_adopted(tmp_path: Path, settings: Settings, lake: Path) -> None:
    def complaint(url: str) -> str:
        with pytest.raises(UsageError) as caught:
            find(url, settings)
        return str(caught.value)

    assert "no folder" in complaint(str(tmp_path / "nowhere"))
    assert "in a bucket, s3://bucket/prefix" in complaint("gs://bucket/lake")
    assert "no file fits hiveperiod=2026-01-31/dstrct_code=MLKB/*.parquet" in complaint(str(lake))
    put(lake, DAY, "a", {"deviceid": pa.array(["HW-1"])})
    assert "no file has a column heartbeat" in complaint(str(lake))
    put(lake, DAY, "b", made(HOUR))
    for url in (str(lake), f"file://{lake}", str(lake / f"hiveperiod={DAY}")):
        assert {file.district for file in find(url, settings).files} == {"MLKB"}
    own = settings.lake_root / "clean"
    put(own / "telemetry", DAY, "own", made(HOUR))
    assert "own lake" in complaint(str(own))
    assert "no file fits" in complaint(str(settings.lake_root))


def test_files_of_the_same_time(lake: Path, settings: Settings, ledger: Ledger, flow: Flow) -> None:
    """Copies of a lake often have whole seconds, or one time for all: of two rows one is seen."""
    put(lake, DAY, "a", made(HOUR, 10, VehicleSpeed=1.0))
    put(lake, DAY, "b", made(HOUR, 10, VehicleSpeed=2.0))
    assert adopt(flow, lake).overlapped == 10
    assert set(speeds(settings, ledger).values()) == {1.0}
    sound(ledger, settings)


def test_nothing_is_read_again(lake: Path, ledger: Ledger, flow: Flow) -> None:
    path = put(lake, DAY, "a", made(HOUR))
    adopt(flow, lake)
    size = path.stat().st_size
    schema = pq.read_metadata(path).serialized_size + 12
    with path.open("r+b") as file:  # its rows are rubbish now, and nobody looks
        file.write(b"x" * (size - schema))
    os.utime(path, (WRITTEN, WRITTEN))
    assert +adopt(flow, lake).files == {"unchanged": 1}


def test_a_file_whose_rows_are_damaged(
    lake: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    path = put(lake, DAY, "a", made(HOUR))
    put(lake, DAY, "b", made(NEXT))
    schema = pq.read_metadata(path).serialized_size + 12
    with path.open("r+b") as file:
        file.seek(4)
        file.write(b"x" * (path.stat().st_size - schema - 4))
    result = adopt(flow, lake)
    assert (+result.files, result.rows["accepted"]) == ({"ok": 1, "failed": 1}, 10)
    assert live_objects(ledger)[f"adopted/hiveperiod={DAY}/dstrct_code=MLKB/a.parquet"].error
    sound(ledger, settings)


def test_a_source_is_known_however_it_is_spelt(
    lake: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """One raw file by two addresses, in DuckDB's own column; and sources that are none of ours."""
    columns = made(HOUR, 8)
    del columns["source_file"]
    spelt = [source_of(HOUR), f"/data/{key_of(HOUR)}", key_of(HOUR)]
    strange = [source_of(HOUR, district="SBRN"), "log.json", source_of("2026019907"), "", None]
    columns["filename"] = pa.array(spelt + strange)
    put(lake, DAY, "a", columns)
    result = adopt(flow, lake)
    assert (result.objects, result.rows["accepted"], result.unknown) == (5, 8, {})
    own = f"adopted/hiveperiod={DAY}/dstrct_code=MLKB/a.parquet"
    accepted = {key: row.accepted for key, row in live_objects(ledger).items()}
    assert accepted == {
        key_of(HOUR): 3,
        f"{own}/HW-1/{HOUR}": 2,
        **{f"{own}/HW-1/{HOUR} {source}": 1 for source in strange[:3]},
        own: 0,
    }
    sound(ledger, settings)


@pytest.mark.parametrize("part_rows", [4, 100])
def test_columns_of_every_type(
    part_rows: int,
    lake: Path,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As other writers leave them, in one part and in several."""
    monkeypatch.setattr(adopting, "PART_ROWS", part_rows)
    at, n = epoch(HOUR), 6
    columns = {
        "heartbeat": pa.array([Decimal(at + i) for i in range(n)], pa.decimal128(20, 0)),
        "deviceid": pa.array([b"A", b"B"] * 3, pa.binary()),
        "VehicleSpeed": pa.array([Decimal("1.50")] * n),
        "CabTemp": pa.array([1.5] * n, pa.float32()),
        "EngineSpeed": pa.array([500] * n, pa.uint16()).dictionary_encode(),
        "unittype": pa.array(["dump"] * n, pa.string_view()),
        "clipid": pa.array([7.0] * n, pa.float16()),
        "fwversion": pa.array([time(1, 2, 3)] * n),
        "Pairs": pa.array([[("k", 1)]] * n, pa.map_(pa.string(), pa.int64())),
        "Bytes": pa.array([b"\xff"] * n),
        "Span": pa.array([1_000_000] * n, pa.duration("us")),
    }
    put(lake, DAY, "a", columns)
    naive = [datetime(2026, 1, 31, 0, 0, i) for i in range(n)]
    put(
        lake,
        DAY,
        "b",
        {
            "heartbeat": pa.array(naive, pa.timestamp("ns")),
            "deviceid": pa.array(["C"] * n, pa.large_string()),
            "VehicleSpeed": pa.array(naive, pa.timestamp("s")),
        },
    )
    result = adopt(flow, lake)
    assert (+result.files, +result.rows) == ({"ok": 2}, {"total": 12, "accepted": 12})
    names = "VehicleSpeed, CabTemp, EngineSpeed, unittype, clipid, fwversion, _rescued"
    kept = '{"Pairs": "{\\"k\\": 1}", "Bytes": "ff", "Span": "0:00:01"}'
    seen = visible(settings, ledger, names, "deviceid IN ('A', 'B')")
    assert seen == [(1.5, 1.5, 500.0, "dump", "7", "01:02:03", kept)] * n
    seen = visible(settings, ledger, "epoch(ts)::BIGINT, _rescued", "deviceid = 'C' ORDER BY ts")
    start = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp())
    assert seen == [
        (start + i, json.dumps({"VehicleSpeed": f"2026-01-31 00:00:0{i}"})) for i in range(n)
    ]
    sound(ledger, settings)


def test_one_adoption_at_a_time(lake: Path, ledger: Ledger, flow: Flow) -> None:
    put(lake, DAY, "a", made(HOUR))
    claims.lease(ledger, adopting.LEASE, "elsewhere-1-abc", 60)
    with pytest.raises(Busy):
        adopt(flow, lake)
    claims.give_back(ledger, adopting.LEASE, "elsewhere-1-abc")
    assert +adopt(flow, lake).files == {"ok": 1}


def test_on_either_ledger(messy: Path, database: str, tmp_path: Path) -> None:
    settings = load(home=tmp_path / "home", ledger=database, threads=1)
    ledger = open_ledger(settings)
    with Flow(settings, ledger) as flow:
        assert figures(adopt(flow, messy)) == EXPECTED
        assert +adopt(flow, messy).files == {"unchanged": 7, "failed": 2}
    sound(ledger, settings)
    ledger.close()


def test_the_command(lake: Path, messy: Path, tmp_path: Path, here: Run) -> None:
    home = tmp_path / "home"
    told = partial(answer, home, by=here)
    wrong = here(home, "adopt", str(tmp_path / "nowhere"))
    assert wrong.returncode == 2
    assert "is no folder" in complaint(wrong)
    dry = told("adopt", str(messy), "--dry-run", "--json", code=1)
    assert dry["dry_run"]
    assert dry["overlapped"] is None
    assert dry["rows"]["total"] == 32
    assert told("sql", "SELECT count(*) AS n FROM telemetry", "--json") == [{"n": 0}]
    done = here(home, "adopt", str(messy))
    assert done.returncode == 1
    assert "g.parquet: cannot be read" in done.stderr
    assert "h.parquet: has no column heartbeat" in done.stderr
    for line in (
        "files: 7 ok, 2 failed; 3 others lie about",
        "rows: 32 = 22 accepted + 1 duplicate + 9 quarantined + 0 blank",
        "overlapped: 2",
        f"dated anew: {BEFORE} → {DAY}: 5",
        "datetime_wita contradicts heartbeat: 1 rows",
        "quarantined, device: 2",
    ):
        assert line in done.stdout.splitlines()
    assert told("sql", "SELECT count(*) AS n FROM telemetry", "--json") == [{"n": 20}]
    assert told("status", "--json")["runs"][0]["kind"] == "adopt"


def drifting(values: list[Any], chance: random.Random) -> pa.Array:
    """Numbers in one of the types that a lake's writer may have chosen for a file."""
    choice = chance.randrange(5)
    if choice == 0 and all(v is None or v == int(v) for v in values):
        return pa.array([None if v is None else int(v) for v in values], pa.int32())
    if choice == 1:
        return pa.array([None if v is None else repr(v) for v in values])
    if choice == 2:
        return pa.array([-9999.0 if v is None else v for v in values])
    if choice == 3:
        return pa.array(["-9999" if v is None else str(v) for v in values]).dictionary_encode()
    return pa.array(values, pa.float64())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_against_a_plain_reading(
    seed: int, lake: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """Random files over a midnight; who is visible is worked out in plain Python from the files."""
    chance = random.Random(seed)
    hours = ("2026013123", "2026020100")
    best: dict[tuple[str, int], tuple[int, int, float | None]] = {}
    total = twice = bad = 0
    for number in range(6):
        beats, devices_, sent, sources = [], [], [], []
        last: dict[tuple[str, str, int], tuple[int, float | None]] = {}
        unit = chance.choice((1, 10**3, 10**6, 10**9))
        for row in range(chance.randrange(1, 60)):
            hour, device = chance.choice(hours), chance.choice(("HW-1", "HW-2"))
            second = epoch(hours[0]) + chance.randrange(3570, 3630)
            speed = chance.choice((None, 1.0, 2.5, 250.0, float(chance.randrange(100))))
            total += 1
            absurd = chance.random() < 0.1
            beats.append(chance.choice((None, -9999, 7)) if absurd else second * unit)
            devices_.append(device)
            sent.append(speed)
            sources.append(source_of(hour, device))
            if absurd:
                bad += 1
            else:
                twice += (hour, device, second) in last
                last[hour, device, second] = (row, speed)
        written = WRITTEN + number * 60
        kind = chance.choice(
            (pa.int64(), pa.string(), pa.float64() if unit < 10**9 else pa.int64())
        )
        columns = {
            "heartbeat": pa.array([None if b is None else str(b) for b in beats])
            if kind == pa.string()
            else pa.array(beats, kind),
            "deviceid": pa.array(devices_),
            "VehicleSpeed": drifting(sent, chance),
            "source_file": pa.array(sources),
        }
        day = chance.choice(("2026-01-31", "2026-02-01", "2026-01-15"))
        put(lake, day, f"f{number}", columns, written=written)
        for (hour, device, second), (_, speed) in last.items():
            at = (device, second)
            rank = (written, int(hour))
            if at not in best or best[at][:2] < rank:
                best[at] = (*rank, speed)
    result = adopt(flow, lake)
    assert (result.rows["total"], result.rows["duplicate"]) == (total, twice)
    assert result.rows["quarantined"] == bad
    assert result.rows["accepted"] - result.overlapped == len(best)
    seen = visible(settings, ledger, "deviceid, epoch_us(ts), VehicleSpeed, hiveperiod")
    zone = ZoneInfo("Asia/Makassar")
    assert {(device, us): (speed, day) for device, us, speed, day in seen} == {
        (device, second * 10**6): (speed, datetime.fromtimestamp(second, zone).date().isoformat())
        for (device, second), (*_, speed) in best.items()
    }
    sound(ledger, settings)


#: One life after the other ends there.
KILLS = ["adopt.surveyed", "adopt.claimed", "adopt.writing", "adopt.written", "adopt.committed"]
KILLS += ["ingest.committing", "adopt.committed:2", "adopt.writing:2"]

#: The command, with parts of few rows.
COMMAND = (
    "import sys; from pipeline.adopt import run; run.PART_ROWS = 25; "
    "sys.argv = ['haulwatch', 'adopt', sys.argv[1], '--json']; from app.cli import main; main()"
)


def test_every_step_has_its_kill() -> None:
    killed = {name.split(":")[0] for name in KILLS}
    assert {name for name in steps.STEPS if name.startswith("adopt.")} <= killed


def test_killed_over_and_over(lake: Path, tmp_path: Path) -> None:
    hours = ["2026013107", "2026013108", "2026013109", "2026013110"]
    for name in ("a", "b", "c"):
        lines = [
            {**row, "source_file": source_of(hour, f"HW-{name}")}
            for hour in hours
            for row in rows(hour, 20, f"HW-{name}")
        ]
        put(lake, DAY, name, {n: pa.array([x[n] for x in lines]) for n in lines[0]})
    home = tmp_path / "home"
    settings = load(home=home, threads=1)
    environment = {
        **os.environ,
        "HAULWATCH_HOME": str(home),
        "HAULWATCH_THREADS": "1",
    }

    def life(step: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", COMMAND, str(lake)],
            env={**environment, steps.VARIABLE: step},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            cwd=Path(__file__).parent.parent,
        )

    seen = 0
    for step in KILLS:
        assert life(step).returncode == -signal.SIGKILL, step
        ledger = open_ledger(settings)
        checked = verify(ledger, settings)
        assert checked.ok, (step, checked.breaches)
        assert checked.rows >= seen
        seen = checked.rows
        ledger.close()
    assert 0 < seen < 240
    ended = life()
    assert ended.returncode == 0, ended.stderr
    shown = json.loads(ended.stdout)
    assert shown["files"]["ok"] + shown["files"]["unchanged"] == 3
    again = json.loads(life().stdout)
    assert (again["files"]["unchanged"], again["rows"]["total"]) == (3, 0)
    ledger = open_ledger(settings)
    assert verify(ledger, settings, deep=True).ok
    assert visible(settings, ledger, "count(*), count(DISTINCT (deviceid, ts))") == [(240, 240)]
    with Flow(settings.model_copy(update={"gc_grace_seconds": -1}), ledger) as flow:
        flow.gc()
    assert not orphans(ledger, settings)
    assert not list((settings.lake_root / "tmp").glob("adopt-*"))
    ledger.close()


def seed_lake(raw: Path, lake: Path) -> None:
    """The lake that the seed's own statement makes: types as they come, UTC days in one batch."""
    batches: dict[tuple[str, str], list[str]] = {}
    for path in sorted(raw.rglob("*.txt.gz")):
        district, _, hour = path.relative_to(raw).parts[:3]
        batches.setdefault((district, hour), []).append(str(path))
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        for number, ((district, _), paths) in enumerate(sorted(batches.items())):
            micros = (
                "make_timestamp((CASE WHEN heartbeat < 1e10 THEN heartbeat * 1000000"
                " WHEN heartbeat < 1e13 THEN heartbeat * 1000"
                " WHEN heartbeat < 1e16 THEN heartbeat ELSE heartbeat // 1000 END)::BIGINT)"
            )
            late = " + INTERVAL 8 HOURS" if number % 2 else ""  # every other batch is mis-dated
            duck.execute(
                f"COPY (SELECT * EXCLUDE (dstrct_code), '{district}' AS dstrct_code,"
                f" ({micros}{late})::DATE AS hiveperiod,"
                f" {micros} + INTERVAL 8 HOURS AS datetime_wita, filename AS source_file"
                " FROM read_json_auto($files, filename=true, sample_size=-1, union_by_name=true))"
                f" TO '{lake}' (FORMAT parquet, COMPRESSION snappy, APPEND,"
                " PARTITION_BY (hiveperiod, dstrct_code), FILENAME_PATTERN 'standard_{uuid}')",
                {"files": paths},
            )
    first = min(lake.rglob("*.parquet"))
    # A batch that was tried again was appended again; and somebody saved a file beside itself.
    pq.write_table(pq.ParquetFile(first).read(), first.with_name("retried.parquet"))
    first.with_name("copy.parquet").write_bytes(first.read_bytes())


@pytest.mark.long
def test_figures_are_those_of_the_same_data_ingested(tmp_path: Path, lake: Path) -> None:
    """A simulated fleet taken in from raw files, and from the lake that the seed makes of them."""
    out = tmp_path / "fleet"
    # Over the local midnight, so that there are days to be mixed up.
    start = DEFAULT_START + timedelta(hours=16)
    simulate(SimSpec(units=4, hours=3, start=start, seed=5), out, processes=1)
    seed_lake(out / "raw", lake)
    found: list[dict[str, Any]] = []
    for name in ("ingested", "adopted"):
        settings = load(home=tmp_path / name, threads=1)
        ledger = open_ledger(settings)
        devices.import_csv(ledger, out / "register.csv")
        if name == "ingested":
            (tmp_path / name / "raw").symlink_to(out / "raw")
        with Flow(settings, ledger) as flow:
            if name == "ingested":
                taken = flow.ingest()
                assert taken.lines["quarantined"] == 0
            else:
                result = adopt(flow, lake)
                assert not result.failed
                assert not result.bad
                assert result.redated
                assert result.overlapped
                assert (result.files["copy"], result.known > 0) == (1, True)
                assert result.differing == 0
                assert result.rows["accepted"] - result.overlapped == taken.lines["accepted"]
        sound(ledger, settings)
        build(ledger, settings, "w", now=start + timedelta(hours=40))
        figures = {
            mart: ask(settings, ledger, mart, f"SELECT {_compared(mart)} FROM {mart} ORDER BY ALL")
            for mart in MARTS
        }
        # Which row of the file it was, nobody can say of a lake.
        columns = "* EXCLUDE (_src, _line)"
        figures["rows"] = visible(settings, ledger, columns, "true ORDER BY deviceid, ts")
        found.append(figures)
        ledger.close()
    ingested, adopted = found
    assert all(ingested[name] for name in ("rows", "unit_minute", "unit_day", "device_hour"))
    for name, expected in ingested.items():
        assert adopted[name] == expected, name


#: When a file arrived, and how its lines were numbered, is not in a lake.
_ARRIVAL = {"arrived_at", "arrival_delay_s", "late", "overlapped", "src", "tested_at", "message"}


def _compared(mart: str) -> str:
    return ", ".join(name for name, _, _ in MARTS[mart].columns if name not in _ARRIVAL)
