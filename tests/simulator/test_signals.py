"""What an expert looks at first: types, limits, counters, and how signals hang together."""

from __future__ import annotations

import gzip
import json

import numpy as np
import polars as pl
import pytest

from pipeline.fields import BY_NAME, FIELDS
from tests.simulator.conftest import Made

COUNTERS = ("EngineHours", "TotalDistance", "HighResTotalDistance", "TotalFuelUsed", "gpsodometer")


def test_clean_lines_hold_fields_of_the_dictionary_with_its_types(quiet: Made) -> None:
    occurred: dict[str, set[str]] = {}
    for path in sorted((quiet.out / "raw").rglob("*.gz")):
        text = gzip.decompress(path.read_bytes())
        assert text.endswith(b"}\n")
        for line in text.splitlines()[::97]:
            row = json.loads(line)
            assert (row["deviceid"], row["dstrct_code"]) == (path.parts[-3], path.parts[-4])
            for name, value in row.items():
                numeric = BY_NAME[name].numeric
                assert isinstance(value, (int, float) if numeric else str), (name, value)
            occurred.setdefault(row["fwversion"], set()).update(row)
    assert occurred["3.1.0"] == set(BY_NAME)
    assert len(BY_NAME) == 179
    assert "earmin" not in occurred["2.4.1"]
    assert len(occurred) >= 5


@pytest.mark.parametrize("item", [f for f in FIELDS if f.numeric], ids=lambda f: f.name)
def test_values_are_within_their_limits(item, quiet_rows: pl.DataFrame) -> None:
    values = quiet_rows[item.name].drop_nulls()
    values = values.filter(values != -9999)
    assert len(values) > 0
    assert item.min <= values.min() <= values.max() <= item.max
    assert not set(values.unique()) & set(item.null_codes)


def test_rows_lie_in_their_hour_in_order_and_once(quiet: Made, quiet_rows: pl.DataFrame) -> None:
    local = (pl.col("second") + 8 * 3600).cast(pl.Int64)
    hour = pl.from_epoch(local, time_unit="s").dt.strftime("%Y%m%d%H")
    assert quiet_rows.filter(hour != pl.col("path_hour")).is_empty()
    keys = quiet_rows.select("deviceid", "second")
    assert keys.n_unique() == keys.height
    for (_,), rows in quiet_rows.group_by("deviceid", maintain_order=True):
        assert (rows["second"].diff().drop_nulls() > 0).all()


@pytest.mark.parametrize("name", COUNTERS)
def test_counters_never_fall(name: str, quiet_rows: pl.DataFrame) -> None:
    for (_,), rows in quiet_rows.filter(pl.col(name) != -9999).group_by("deviceid"):
        assert (rows.sort("second")[name].diff().drop_nulls() >= 0).all()


def test_counters_agree_with_what_they_sum(quiet_rows: pl.DataFrame) -> None:
    seen = 0
    for (_,), rows in quiet_rows.filter(pl.col("EngineSpeed") != -9999).group_by("deviceid"):
        rows = rows.sort("second")  # noqa: PLW2901
        run = {n: rows[n][-1] - rows[n][0] for n in (*COUNTERS, "EngineIdleHours")}
        km = rows["VehicleSpeed"].sum() / 3600
        on = (rows["EngineSpeed"] >= 400).sum() / 3600
        seen += km > 5
        assert run["HighResTotalDistance"] == pytest.approx(km, rel=0.01, abs=0.05)
        assert run["gpsodometer"] == pytest.approx(km, rel=0.02, abs=0.05)
        assert run["EngineHours"] == pytest.approx(on, abs=0.06)
        assert run["TotalFuelUsed"] == pytest.approx(rows["FuelRate"].sum() / 3600, rel=0.02, abs=1)
    assert seen >= 6


def test_position_follows_the_speed(quiet_rows: pl.DataFrame) -> None:
    for (_,), rows in quiet_rows.group_by("deviceid"):
        rows = rows.sort("second")  # noqa: PLW2901
        lat, lon = rows["gpslat"].to_numpy(), rows["gpslong"].to_numpy()
        minute = 60
        north = (lat[minute:] - lat[:-minute]) * 110_574
        east = (lon[minute:] - lon[:-minute]) * 111_320 * np.cos(np.radians(lat[0]))
        joined = rows["second"].to_numpy()
        whole = joined[minute:] - joined[:-minute] == minute
        way = np.convolve(rows["gpsspeed"].to_numpy() / 3.6, np.ones(minute), "full")
        way = way[minute : len(joined)]
        straight = np.hypot(north, east)
        assert (straight[whole] <= way[whole] * 1.03 + 25).all()
        assert straight[whole].max() > 200


def test_load_speed_and_temperature_hang_together(quiet_rows: pl.DataFrame) -> None:
    dumps = quiet_rows.filter((pl.col("unittype") == "dump") & (pl.col("EngineSpeed") >= 400))
    climbing = dumps.filter((pl.col("payload") > 40) & (pl.col("imupitch") > 2.5))
    standing = dumps.filter(pl.col("VehicleSpeed") == 0)
    assert 60 <= climbing["FuelRate"].median() <= 90
    assert 2 <= standing["FuelRate"].median() <= 6
    assert climbing["EngineLoad"].median() > 80
    downhill = dumps.filter((pl.col("imupitch") < -3) & (pl.col("VehicleSpeed") > 15))
    assert downhill["RetarderTorque"].median() < -10
    warm = dumps.filter(pl.col("EngineLoad") > 50)["EngineCoolantTemp"]
    assert 80 <= warm.median() <= 100
    assert dumps.filter(pl.col("bodyup") == 1)["VehicleSpeed"].max() == 0
    off = quiet_rows.filter(pl.col("ignition") == 0)
    assert off["AlternatorVoltage"].max() < 26.5
    assert off["VehicleSpeed"].max() <= 0
    tipped = dumps.filter(pl.col("loadcount") > 0)
    assert tipped.height > 0


def test_a_developing_fault_shows_and_is_reported(quiet_rows: pl.DataFrame) -> None:
    coded = quiet_rows.filter(pl.col("DtcCount") > 0)
    assert coded.height > 0
    assert (coded["DtcSpn"] > 0).all()
    assert (coded["AmberWarningLamp"] == 1).all()
    clear = quiet_rows.filter(pl.col("DtcCount") == 0)
    assert (clear["DtcSpn"] == -9999).all()


def test_all_heartbeat_units_and_both_samplings_occur(quiet_rows: pl.DataFrame) -> None:
    digits = quiet_rows["heartbeat"].cast(pl.String).str.len_chars().unique().sort().to_list()
    assert digits == [10, 13, 16, 19]
    major = quiet_rows["fwversion"].str.slice(0, 1).cast(pl.Int32)
    assert ((major >= 3) == quiet_rows["earmin"].is_not_null()).all()
