"""Cleaning rules, each on rows made by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline import fields
from pipeline.ingest import clean, fast
from pipeline.storage.records import RawFile
from tests.make import DISTRICT, ZONE, epoch, rows, text

HOUR = "2026013107"
START = epoch(HOUR)


def cleaned(lines: list[dict[str, Any]], hour: str = HOUR, zone: str = ZONE) -> clean.Cleaned:
    file = RawFile("k", DISTRICT, "HW-1", hour, "e", 1, (epoch(hour, zone) + 3600) * 10**6)
    frame = fast.read(text(lines), fields.json_schema())
    return clean.clean(frame, file, 7, zone, {}, 1_577_836_800)


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_the_heartbeat_unit_is_told_from_its_magnitude(factor: int) -> None:
    lines = [{**row, "heartbeat": row["heartbeat"] * factor} for row in rows(HOUR, 3)]
    got = cleaned(lines).frame
    assert got["ts"].to_list() == [datetime.fromtimestamp(START + i, UTC) for i in range(3)]
    assert got["heartbeat"][0] == START * factor


@pytest.mark.parametrize(
    ("sent", "us"),
    [
        (f"{START}", START * 10**6),
        (START + 0.25, START * 10**6 + 250_000),
        (float(START), START * 10**6),
        (START * 1000 + 0.5, START * 10**6 + 500),
        (START * 10**9 + 1_999, START * 10**6 + 1),
    ],
)
def test_heartbeats_as_text_and_with_fractions(sent: Any, us: int) -> None:
    got = cleaned([{**rows(HOUR, 1)[0], "heartbeat": sent}]).frame
    assert got["ts"].to_physical()[0] == us


@pytest.mark.parametrize("bad", [-9999, 0, 1_577_836_799, START + 3 * 86_400, "x", None, True])
def test_a_clock_that_cannot_be_right_is_left_out(bad: Any) -> None:
    lines = rows(HOUR, 2)
    lines[1]["heartbeat"] = bad
    got = cleaned(lines)
    assert (got.accepted, got.wrong_clock) == (1, [2])


def test_sentinels_become_null_and_leave_no_trace() -> None:
    line = rows(HOUR, 1)[0] | {"ear": -9999, "mar": -9999.0, "operatorid": "-9999"}
    line |= {"clockoffset": -9999, "ServiceDistance": -9999}  # inside these fields' limits
    got = cleaned([line]).frame.row(0, named=True)
    for name in ("ear", "mar", "operatorid", "clockoffset", "ServiceDistance", "_rescued"):
        assert got[name] is None, name


def test_limits_are_legal_and_what_lies_beyond_is_rescued() -> None:
    top = fields.BY_NAME["VehicleSpeed"].max
    lines = rows(HOUR, 3)
    lines[0] |= {"VehicleSpeed": top, "SeatBelt": 1}
    lines[1] |= {"VehicleSpeed": 255.996, "SeatBelt": 3}
    lines[2] |= {"VehicleSpeed": 0, "EngineCoolantTemp": 215}
    got = cleaned(lines)
    assert got.frame["VehicleSpeed"].to_list() == [top, None, 0]
    assert got.frame["SeatBelt"].to_list() == [1, None, None]
    rescued = [json.loads(value or "{}") for value in got.frame["_rescued"]]
    assert rescued == [{}, {"VehicleSpeed": 255.996, "SeatBelt": 3}, {"EngineCoolantTemp": 215}]
    assert got.rescued == 2


def test_the_path_rules_and_a_contradiction_is_kept() -> None:
    lines = rows(HOUR, 3)
    lines[1]["deviceid"] = 'HW-"2"'
    lines[2]["dstrct_code"] = "-9999"
    got = cleaned(lines)
    assert got.frame["deviceid"].unique().to_list() == ["HW-1"]
    assert got.frame["dstrct_code"].unique().to_list() == [DISTRICT]
    assert got.flags == ["deviceid"]
    assert [json.loads(v or "{}") for v in got.frame["_rescued"]] == [
        {},
        {"deviceid": 'HW-"2"'},
        {},
    ]


def test_the_last_of_equal_seconds_wins() -> None:
    first, second = rows(HOUR, 2)
    got = cleaned([first, second, {**first, "VehicleSpeed": 99.0}])
    assert (got.accepted, got.duplicate) == (2, 1)
    assert got.frame.select("_line", "VehicleSpeed").rows() == [(3, 99.0), (2, 11.0)]


def test_rows_outside_the_paths_hour_are_flagged_and_kept() -> None:
    lines = rows(HOUR, 2)
    lines[1]["heartbeat"] += 3600
    got = cleaned(lines)
    assert got.flags == ["hour"]
    assert got.accepted == 2


def test_hiveperiod_is_the_local_date() -> None:
    assert cleaned(rows("2026013100", 1)).frame["hiveperiod"].to_list() == ["2026-01-31"]
    assert cleaned(rows("2026013123", 1)).frame["hiveperiod"].to_list() == ["2026-01-31"]
    lines = rows("2026013123", 1)
    lines += [{**lines[0], "heartbeat": lines[0]["heartbeat"] + 3600}]
    assert cleaned(lines).frame["hiveperiod"].to_list() == ["2026-01-31", "2026-02-01"]


def test_a_zone_with_summer_time() -> None:
    """Athens, 2026-03-29: 03:00 local does not exist; the day has 23 hours."""
    assert cleaned(
        rows(
            "2026032900",
            1,
        )
        and [{**rows(HOUR, 1)[0], "heartbeat": epoch("2026032900", "Europe/Athens")}],
        "2026032900",
        "Europe/Athens",
    ).frame["hiveperiod"].to_list() == ["2026-03-29"]
