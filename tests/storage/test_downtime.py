"""The downtime log: rows, what they cover, what is refused. MLKB is at UTC+8; BER is in Berlin."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from pipeline.errors import UsageError
from pipeline.localtime import to_us
from pipeline.settings import Settings, load
from pipeline.storage import devices, downtime, manifest
from pipeline.storage import tables as t
from pipeline.storage.downtime import ImportResult
from pipeline.storage.ledger import Ledger
from pipeline.storage.sql import clock, counter
from tests.threads import together

REGISTER = """deviceid,unitno,unittype,dstrct_code,valid_from,valid_to
HW-1,DT101,dump,MLKB,2026-01-01,
HW-2,DT102,dump,MLKB,2026-01-01,
HW-3,DT103,dump,MLKB,2026-01-01,2026-02-10
HW-4,DT103,dump,BER,2026-02-11,
HW-5,DT104,dump,MLKB,2026-01-01,
HW-6,DT104,dump,BER,2026-02-01,
HW-7,DT105,dump,BER,2026-01-01,
"""
DT101 = "DT101,2026-01-31T06:30,2026-01-31T07:00"

Import = Callable[..., ImportResult]


@pytest.fixture
def take(any_ledger: Ledger, tmp_path: Path) -> Import:
    """Imports the rows given as lines of a file."""
    settings: Settings = load(home=tmp_path / "home", zones={"BER": "Europe/Berlin"})
    (tmp_path / "register.csv").write_text(REGISTER)
    assert not devices.import_csv(any_ledger, tmp_path / "register.csv").errors

    def importing(*lines: str, **days: Any) -> ImportResult:
        path = tmp_path / str(threading.get_ident()) / "log.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(["unit,start,end,code,note", *lines, ""]))
        return downtime.import_csv(any_ledger, settings, path, who="ana", **days)

    return importing


def us(text: str) -> int:
    """Microseconds of a time in UTC."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


def log(ledger: Ledger) -> list[tuple[Any, ...]]:
    d = t.downtime.c
    query = select(d.dstrct_code, d.unitno, d.start_ts, d.end_ts, d.code, d.note)
    with ledger.read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(d.unitno, d.start_ts))]


def spans(ledger: Ledger) -> list[tuple[Any, ...]]:
    s = t.downtime_spans.c
    query = select(s.dstrct_code, s.from_ts, s.to_ts).order_by(s.dstrct_code, s.from_ts)
    with ledger.read() as connection:
        return [tuple(row) for row in connection.execute(query)]


def version(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return counter(connection, "data")


def audits(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        query = select(t.audit).where(t.audit.c.what.startswith("downtime"))
        return list(connection.execute(query.order_by(t.audit.c.id)))


def test_local_times_become_utc_and_whole_local_days_are_covered(
    any_ledger: Ledger, take: Import
) -> None:
    result = take(
        "DT101,2026-01-31T06:30,2026-01-31T07:00,p5m,",
        'DT102,2026-01-31 22:00:30,2026-02-01T09:05,BD,"no oil, towed"',
        "DT101,2026-01-31T07:00:00Z,2026-01-31T12:00+02:00,RAIN,",
    )
    assert result == ImportResult(imported=3)
    assert log(any_ledger) == [
        ("MLKB", "DT101", us("2026-01-30T22:30"), us("2026-01-30T23:00"), "P5M", ""),
        ("MLKB", "DT101", us("2026-01-31T07:00"), us("2026-01-31T10:00"), "RAIN", ""),
        ("MLKB", "DT102", us("2026-01-31T14:00:30"), us("2026-02-01T01:05"), "BD", "no oil, towed"),
    ]
    # 31 January and 1 February, by the clocks of MLKB
    assert spans(any_ledger) == [("MLKB", us("2026-01-30T16:00"), us("2026-02-01T16:00"))]
    with any_ledger.read() as connection:
        assert set(connection.execute(select(t.downtime.c.imported_by)).scalars()) == {"ana"}


def test_an_end_at_midnight_does_not_cover_the_day_after(any_ledger: Ledger, take: Import) -> None:
    take("DT101,2026-01-31T22:00,2026-02-01T00:00,FOG,")
    assert spans(any_ledger) == [("MLKB", us("2026-01-30T16:00"), us("2026-01-31T16:00"))]


def test_the_days_that_are_asked_for_are_covered(any_ledger: Ledger, take: Import) -> None:
    take(f"{DT101},P5M,", first=date(2026, 1, 30))
    assert spans(any_ledger) == [("MLKB", us("2026-01-29T16:00"), us("2026-01-31T16:00"))]
    take(f"{DT101},P5M,", last=date(2026, 2, 1))
    assert spans(any_ledger)[1:] == [("MLKB", us("2026-01-31T16:00"), us("2026-02-01T16:00"))]
    # on either side of what is there
    take(f"{DT101},P5M,", first=date(2026, 1, 29), last=date(2026, 2, 2))
    assert spans(any_ledger) == [
        ("MLKB", us("2026-01-28T16:00"), us("2026-01-29T16:00")),
        ("MLKB", us("2026-01-29T16:00"), us("2026-01-31T16:00")),
        ("MLKB", us("2026-01-31T16:00"), us("2026-02-01T16:00")),
        ("MLKB", us("2026-02-01T16:00"), us("2026-02-02T16:00")),
    ]


def test_a_row_beyond_the_days_asked_for_is_a_slip(any_ledger: Ledger, take: Import) -> None:
    """One that only begins before them is none."""
    rows = ("DT101,2026-01-31T22:00,2026-02-01T02:00,BD,", f"{DT101},P5M,")
    result = take(*rows, first=date(2026, 2, 1))
    assert result.errors == ["line 3: lies outside of --from 2026-02-01"]
    assert take(*rows, first=date(2027, 1, 1), last=date(2027, 1, 2)).errors == [
        f"line {number}: lies outside of --from 2027-01-01 --to 2027-01-02" for number in (2, 3)
    ]
    assert take(rows[0], first=date(2026, 2, 1)).errors == []
    assert spans(any_ledger) == [("MLKB", us("2026-01-31T16:00"), us("2026-02-01T16:00"))]


@pytest.mark.parametrize(
    "days",
    [
        {"first": date(2026, 2, 2), "last": date(2026, 2, 1)},
        {"first": date.min},
        {"last": date.max},
    ],
)
def test_days_that_cannot_be_meant_are_wrong_usage(take: Import, days: dict[str, date]) -> None:
    with pytest.raises(UsageError, match=r"--from|--to"):
        take(f"{DT101},P5M,", **days)


def test_nothing_is_covered_that_is_still_to_come(any_ledger: Ledger, take: Import) -> None:
    """A log cannot say of the rest of a day that nothing stood."""

    def now() -> int:
        with any_ledger.read() as connection:
            return clock(connection)

    at = datetime.now(UTC).replace(microsecond=0)
    times = [(at + timedelta(hours=hours)).isoformat() for hours in (-1, 1)]
    row = f"DT101,{times[0]},{times[1]},SERV,"
    seen = [now()]
    for _ in range(2):
        take(row)
        seen.append(now())
        assert seen[-2] <= spans(any_ledger)[-1][2] <= seen[-1]
    (_, _, until), (_, go_on, _) = spans(any_ledger)
    assert until == go_on
    take("DT102,2027-05-01T06:00,2027-05-01T07:00,SERV,", first=date(2027, 5, 1))
    assert len(spans(any_ledger)) == 2
    assert len(log(any_ledger)) == 2


def test_the_same_file_again_changes_nothing(any_ledger: Ledger, take: Import) -> None:
    rows = (f"{DT101},P5M,", "DT102,2026-02-01T10:00,2026-02-01T10:30,FUEL,x")
    know(any_ledger, "MLKB", "2026-01-31")
    assert take(*rows) == ImportResult(imported=2, days=1)
    (entry,) = audits(any_ledger)
    assert (entry.who, entry.what, entry.subject) == ("ana", "downtime imported", "log.csv")
    assert json.loads(entry.detail) == {
        "new": 2,
        "replaced": 0,
        "unchanged": 0,
        "covered": ["MLKB 2026-01-31T00:00+08:00 to 2026-02-02T00:00+08:00"],
    }
    before = (log(any_ledger), spans(any_ledger), version(any_ledger))
    assert take(*rows) == ImportResult(unchanged=2)
    assert (log(any_ledger), spans(any_ledger), version(any_ledger)) == before
    assert len(audits(any_ledger)) == 1


def test_a_row_with_the_same_unit_and_start_replaces(any_ledger: Ledger, take: Import) -> None:
    """What it leaves free can be taken in the same file."""
    take("DT101,2026-01-31T06:00,2026-01-31T08:00,BD,", f"{DT101},P5M,".replace("101", "102"))
    result = take(
        "DT101,2026-01-31T06:00,2026-01-31T07:00,TYRE,left rear",
        "DT101,2026-01-31T07:00,2026-01-31T08:00,RAIN,",
        f"{DT101},P5M,".replace("101", "102"),
    )
    assert (result.imported, result.unchanged) == (2, 1)
    assert [row[1:] for row in log(any_ledger)] == [
        ("DT101", us("2026-01-30T22:00"), us("2026-01-30T23:00"), "TYRE", "left rear"),
        ("DT101", us("2026-01-30T23:00"), us("2026-01-31T00:00"), "RAIN", ""),
        ("DT102", us("2026-01-30T22:30"), us("2026-01-30T23:00"), "P5M", ""),
    ]
    counts = json.loads(audits(any_ledger)[-1].detail)
    assert (counts["new"], counts["replaced"], counts["covered"]) == (1, 1, [])


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("DT999,2026-01-31T06:30,2026-01-31T07:00,P5M,", "'DT999' is not in the device register"),
        (
            "DT101,2025-12-31T23:59,2026-01-31T07:00,P5M,",
            "unit 'DT101' is not in the device register at 2025-12-31T23:59",
        ),
        (
            "DT101,2025-12-31T15:59Z,2026-01-31T07:00,P5M,",
            "unit 'DT101' is not in the device register at 2025-12-31T15:59+00:00",
        ),
        (
            "DT104,2026-02-01T06:30,2026-02-01T07:00,P5M,",
            "unit 'DT104' is in BER and MLKB at 2026-02-01T06:30",
        ),
        (
            f"{DT101},RAINY,",
            "code 'RAINY' is none of P5M, P2H, FUEL, REST, SHIFT, FRIDAY, NOOP, RAIN",
        ),
        (f"{DT101},,", "code is empty"),
        ("DT101", "start, end, code is empty"),
        (f"{DT101},BD,no oil, towed", "has more cells than the head"),
        ("DT101,2026-01-31T06:30,2026-01-31T06:30,BD,", "is not after start 2026-01-31T06:30"),
        (
            "DT101,2026-01-31T06:30,2026-01-31T08:30+10:00,BD,",
            "is not after start 2026-01-31T06:30",
        ),
        ("DT101,31/01/2026 06:30,2026-01-31T07:00,BD,", "start '31/01/2026 06:30' is no time like"),
        ("DT101,2026-01-31T06:30,2026-02-30T07:00,BD,", "end '2026-02-30T07:00' is no time like"),
        ("DT101,2026-01-31T06:30,2026-01-31T24:00,BD,", "end '2026-01-31T24:00' is no time like"),
        ("DT101,2026-01-31,2026-02-01,BD,", "start '2026-01-31' is no time like 2026-01-31T06:30"),
        ("DT101,2026-01-31T06:30,9999-12-31T23:59,BD,", "end '9999-12-31T23:59' is no time like"),
    ],
)
def test_a_bad_row_is_a_sentence_and_nothing_is_taken(
    any_ledger: Ledger, take: Import, row: str, sentence: str
) -> None:
    result = take("DT102,2026-01-31T06:30,2026-01-31T07:00,P5M,", "", row)
    (error,) = result.errors
    assert error.startswith("line 4: ")  # the blank line counts
    assert sentence in error
    assert result.imported == 0
    assert (log(any_ledger), spans(any_ledger), audits(any_ledger)) == ([], [], [])


def test_rows_of_a_unit_do_not_overlap_in_the_file(any_ledger: Ledger, take: Import) -> None:
    """Nor does a row stand there twice; one that begins when another ends is right."""
    result = take(
        "DT101,2026-01-31T09:00,2026-01-31T10:00,FOG,",
        "DT101,2026-01-31T06:00,2026-01-31T09:01,BD,",  # runs into line 2
        "DT101,2026-01-31T07:00,2026-01-31T07:10,FUEL,",  # within line 3
        "DT101,2026-01-31T10:00,2026-01-31T11:00,RAIN,",
        "DT102,2026-01-31T06:00,2026-01-31T09:01,BD,",
        "DT102,2026-01-31T06:00+08:00,2026-01-31T06:10,BD,",
    )
    assert result.errors == [
        "line 3: overlaps line 2",
        "line 4: overlaps line 3",
        "line 7: the same unit and start as in line 6",
    ]
    assert log(any_ledger) == []


def test_rows_of_a_unit_do_not_overlap_those_of_the_log(any_ledger: Ledger, take: Import) -> None:
    take("DT101,2026-01-31T06:00,2026-01-31T08:00,BD,")
    before = log(any_ledger)
    result = take(
        "DT101,2026-01-31T05:00,2026-01-31T06:01,FOG,",
        "DT101,2026-01-31T07:59,2026-01-31T09:00,RAIN,",
        "DT101,2026-01-31T09:00,2026-01-31T10:00,RAIN,",
        "DT102,2026-01-31T05:00,2026-01-31T10:00,FOG,",
    )
    assert result.errors == [
        f"line {number}: overlaps BD of 2026-01-31T06:00+08:00 in the log" for number in (2, 3)
    ]
    assert log(any_ledger) == before
    assert not take("DT101,2026-01-31T05:00,2026-01-31T06:00,FOG,").errors


def test_a_unit_is_where_the_register_has_it_at_that_time(any_ledger: Ledger, take: Import) -> None:
    """DT103 moved at the end of 10 February; Berlin is at UTC+1 then."""
    take(
        "DT103,2026-02-10T23:00,2026-02-10T23:30,BD,",
        "DT103,2026-02-11T06:00,2026-02-11T07:00,BD,",
        "DT103,2026-02-11T06:00Z,2026-02-11T07:00Z,BD,",
    )
    assert [row[:4] for row in log(any_ledger)] == [
        ("MLKB", "DT103", us("2026-02-10T15:00"), us("2026-02-10T15:30")),
        ("BER", "DT103", us("2026-02-11T05:00"), us("2026-02-11T06:00")),
        ("BER", "DT103", us("2026-02-11T06:00"), us("2026-02-11T07:00")),
    ]
    assert spans(any_ledger) == [
        ("BER", us("2026-02-10T23:00"), us("2026-02-11T23:00")),
        ("MLKB", us("2026-02-09T16:00"), us("2026-02-10T16:00")),
    ]


def test_days_are_23_and_25_hours_long_where_clocks_change(
    any_ledger: Ledger, take: Import
) -> None:
    take("DT105,2026-03-29T01:00,2026-03-29T04:00,BD,")  # 2 hours
    take("DT105,2026-10-25T01:00,2026-10-25T04:00,BD,")  # 4 hours
    take("DT105,2026-10-26T02:30,2026-10-26T04:00,BD,")
    assert [row[2:4] for row in log(any_ledger)] == [
        (us("2026-03-29T00:00"), us("2026-03-29T02:00")),
        (us("2026-10-24T23:00"), us("2026-10-25T03:00")),
        (us("2026-10-26T01:30"), us("2026-10-26T03:00")),
    ]
    assert [row[1:] for row in spans(any_ledger)] == [
        (us("2026-03-28T23:00"), us("2026-03-29T22:00")),
        (us("2026-10-24T22:00"), us("2026-10-25T23:00")),
        (us("2026-10-25T23:00"), us("2026-10-26T23:00")),
    ]


def test_a_time_that_clocks_skip_or_show_twice_needs_its_offset(
    any_ledger: Ledger, take: Import
) -> None:
    result = take(
        "DT105,2026-03-29T02:30,2026-03-29T04:00,BD,",
        "DT105,2026-10-25T01:00,2026-10-25T02:00,BD,",
        "DT105,2026-10-25T02:59:59,2026-10-25T04:00,BD,",
        "DT105,2026-10-25T03:00,2026-10-25T04:00,BD,",
    )
    skipped, twice = "does not exist in Europe/Berlin", "exists twice in Europe/Berlin"
    forward, back = "clocks go forward", "clocks go back"
    assert result.errors == [
        f"line 2: start 2026-03-29T02:30 {skipped}: {forward}; write it with its offset",
        f"line 3: end 2026-10-25T02:00 {twice}: {back}; write it with its offset",
        f"line 4: start 2026-10-25T02:59:59 {twice}: {back}; write it with its offset",
    ]
    assert not take("DT105,2026-10-25T02:30+02:00,2026-10-25T02:30+01:00,BD,").errors
    assert [row[2:4] for row in log(any_ledger)] == [
        (us("2026-10-25T00:30"), us("2026-10-25T01:30"))
    ]


def know(ledger: Ledger, district: str, *days: str) -> None:
    """Days that have data, and are built."""
    rows = [
        {"hiveperiod": day, "dstrct_code": district, "data_version": 1, "built_version": 1}
        for day in days
    ]
    with ledger.write() as connection:
        connection.execute(insert(t.counters).values(name="data", value=1))
        connection.execute(insert(t.partitions), rows)


def dirty(ledger: Ledger) -> list[str]:
    """Days to build; afterwards they are built."""
    with ledger.write() as connection:
        days = manifest.dirty(connection, t.partitions.c.built_version)
        connection.execute(t.partitions.update().values(built_version=counter(connection, "data")))
    return [part.hiveperiod for part in days]


def test_the_days_touched_and_those_beside_them_are_built_again(
    any_ledger: Ledger, take: Import
) -> None:
    known = [f"2026-02-{day:02}" for day in range(1, 21) if day != 11]
    know(any_ledger, "MLKB", *known)
    take("DT101,2026-02-05T06:00,2026-02-06T07:00,BD,")
    assert dirty(any_ledger) == ["2026-02-04", "2026-02-05", "2026-02-06", "2026-02-07"]
    # what is covered from then on, less what was; the 11th has no data: nothing to build
    take("DT102,2026-02-05T06:00,2026-02-05T07:00,BD,", last=date(2026, 2, 10))
    assert dirty(any_ledger) == [f"2026-02-{day:02}" for day in (4, 5, 6, 7, 8, 9, 10)]
    take("DT102,2026-02-08T06:00,2026-02-08T07:00,FUEL,")
    assert dirty(any_ledger) == ["2026-02-07", "2026-02-08", "2026-02-09"]
    # a row that grows shorter leaves days behind
    take("DT101,2026-02-05T06:00,2026-02-05T07:00,BD,")
    assert dirty(any_ledger) == ["2026-02-04", "2026-02-05", "2026-02-06", "2026-02-07"]
    take("DT103,2026-02-12T06:00,2026-02-12T07:00,BD,")  # of Berlin by now
    assert dirty(any_ledger) == []
    with any_ledger.read() as connection:
        assert set(connection.execute(select(t.partitions.c.hiveperiod)).scalars()) == set(known)


def test_several_imports_of_one_file_at_once_are_one(any_ledger: Ledger, take: Import) -> None:
    results: list[ImportResult] = []
    rows = (f"{DT101},P5M,", "DT102,2026-02-01T10:00,2026-02-01T10:30,FUEL,x")
    together(*[lambda: results.append(take(*rows))] * 4)
    assert sorted(result.imported for result in results) == [0, 0, 0, 2]
    assert len(log(any_ledger)) == 2
    assert len(spans(any_ledger)) == 1


def test_a_file_without_rows_says_nothing(any_ledger: Ledger, take: Import) -> None:
    assert take(first=date(2026, 1, 1), last=date(2026, 1, 31)) == ImportResult()
    assert spans(any_ledger) == []


def test_a_file_of_other_columns_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("unit;start;end;code\nDT101;2026-01-31T06:30;2026-01-31T07:00;P5M\n")
    with pytest.raises(UsageError, match=r"log\.csv: column unit, start, end, code is missing"):
        downtime.import_csv(ledger, load(home=tmp_path / "home"), path, who="ana")
