"""The truth against a recount of the raw files, and against the rows themselves."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipeline.simulator import DEFAULT_START, damage, simulate
from tests.simulator.conftest import Made, make
from tests.simulator.recount import recount


@pytest.mark.parametrize("name", ["quiet", "typical", "storm"])
def test_counts_equal_a_recount_of_the_raw_files(name: str, request: pytest.FixtureRequest) -> None:
    made: Made = request.getfixturevalue(name)
    found = recount(made.out / "raw")
    told = made.summary
    assert found.files == told["files_delivered"] > 10
    assert found.lines == told["lines"]
    assert found.bad == told["bad_lines"]
    assert found.blank == told["blank_lines"]
    assert len(found.seconds) == told["distinct_rows"]
    if name == "quiet":
        assert told["distinct_rows"] == told["lines"]
        assert told["files_lost"] == told["files_pending"] == told["bad_lines"] == 0
    if name == "storm":
        assert told["bad_lines"] > 0
        assert told["lines"] > told["distinct_rows"]


@pytest.mark.parametrize("name", ["typical", "storm"])
def test_device_hours_add_up(name: str, request: pytest.FixtureRequest) -> None:
    made: Made = request.getfixturevalue(name)
    hours = made.table("device_hours")
    assert hours.height == made.spec.units * made.spec.hours
    assert hours["lines"].sum() == made.summary["lines"]
    assert hours["bad_lines"].sum() == made.summary["bad_lines"]
    assert hours["delivered"].sum() == made.summary["files_delivered"]
    assert set(hours["status"]) <= {"ok", "partial", "corrupt", "missing", "off"}
    assert (hours["rows"] <= hours["expected_rows"]).all()
    off = hours.filter(pl.col("status") == "off")
    assert (off["powered_seconds"] == 0).all()
    assert not off["delivered"].any()
    whole = hours.filter(pl.col("status") == "ok")
    assert (whole["rows"] >= 0.99 * whole["powered_seconds"]).all()
    assert hours.filter((pl.col("status") == "missing") & (pl.col("cause") == "")).is_empty()


def test_states_follow_the_rule_from_the_rows(quiet: Made, quiet_rows: pl.DataFrame) -> None:
    truth = pl.concat(
        [pl.read_parquet(path) for path in sorted((quiet.out / "truth").glob("states-*.parquet"))]
    ).with_columns((pl.col("ts").dt.epoch("s")).alias("second"))
    assert truth.height == quiet.spec.units * quiet.spec.hours * 3600
    powered = truth.filter("powered").select("deviceid", "second")
    sent = quiet_rows.select("deviceid", "second")
    assert powered.join(sent, on=["deviceid", "second"], how="anti").is_empty()
    assert powered.height == sent.height
    joined = quiet_rows.join(truth.select("deviceid", "second", "state"), on=["deviceid", "second"])
    wrong = 0
    for (_,), rows in joined.sort("second").group_by("deviceid", maintain_order=True):
        moving = False
        columns = ("EngineSpeed", "VehicleSpeed", "ignition", "state", "gpsspeed", "speedsource")
        for rpm, kmh, ignition, state, gps, source in rows.select(columns).iter_rows():
            on = rpm >= 400 if rpm != -9999 else ignition == 1
            speed = gps if source == "GPS" else kmh
            moving = on and (speed >= 5 or (moving and speed >= 3))
            wrong += state != ("moving" if moving else "idle" if on else "off")
    assert wrong <= 0.002 * joined.height
    assert set(truth["state"]) == {"moving", "idle", "off"}


def test_rows_that_two_files_hold_are_counted_once(tmp_path: Path) -> None:
    start = int(DEFAULT_START.timestamp())

    def overlaps(seed: int) -> bool:
        kinds = [damage.kind_of(seed, 0, start + 3600 * hour, 8.0) for hour in range(2)]
        return kinds == ["", "overlap"]

    seed = next(seed for seed in range(1, 1000) if overlaps(seed))
    made = make(tmp_path, 1, 2, faults="storm", seed=seed)
    uploads = pl.read_parquet(tmp_path / ".simulator" / "hours" / "uploads-1.parquet")
    assert uploads["overlap"].to_list() == [damage.OVERLAP]
    found = recount(tmp_path / "raw")
    assert found.files == 2
    assert found.lines == made.summary["lines"] == len(found.seconds) + damage.OVERLAP
    assert len(found.seconds) == made.summary["distinct_rows"]


def test_the_terrain_and_the_register_name_what_is_there(quiet: Made) -> None:
    register = pl.read_csv(quiet.out / "register.csv", infer_schema=False)
    assert register.columns == [
        "deviceid", "unitno", "unittype", "dstrct_code", "model", "valid_from", "valid_to",
    ]  # fmt: skip
    assert register["unitno"].n_unique() == register["deviceid"].n_unique() == 9
    assert set(register["dstrct_code"]) == set(quiet.summary["districts"]) == {"MLKB", "TRGA"}
    terrain = (quiet.out / "terrain.geojson").read_text()
    assert '"haul_road"' in terrain
    assert '"pit"' in terrain


def test_nothing_is_sent_for_no_hours(tmp_path: Path, quiet: Made) -> None:
    from dataclasses import replace

    told = simulate(replace(quiet.spec, hours=0), tmp_path, processes=1)
    assert (told["lines"], told["files_delivered"]) == (0, 0)
