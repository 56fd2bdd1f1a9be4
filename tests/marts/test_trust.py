"""What is believed of signals: units that are sisters, and two speeds that tell of each other."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.flow import Flow
from pipeline.marts.build import build
from pipeline.settings import load
from pipeline.storage import devices
from pipeline.storage.ledger import open_ledger
from tests.make import deliver, rows
from tests.marts.test_marts import NOW, ask

HOUR = "2026013106"
#: Just over the half hour that a sister has to be seen.
SECONDS = 31 * 60

Lines = list[dict[str, Any]]


def driving(unit: str, gap: float = 1.0, seconds: int = SECONDS, **values: Any) -> Lines:
    """Rows of a unit that drives; GPS sees it so much faster than the wheels do."""
    common = {"gpsnumsat": 11, "unitno": unit}
    lines = rows(HOUR, seconds, f"HW-{unit}", **(common | values))
    for i, row in enumerate(lines):
        row["EngineSpeed"] = 1500 + i % 7
        row["VehicleSpeed"] = values.get("VehicleSpeed", 20 + i % 7)
        row["gpsspeed"] = 20 + i % 7 + gap
    return lines


def stray(unit: str, signal: str, minutes: int, **values: Any) -> Lines:
    """A signal that is there for a few minutes only."""
    lines = driving(unit, **values)
    for row in lines[: 60 * minutes]:
        row[signal] = 60
    return lines


def asleep(unit: str) -> Lines:
    """It drives for 15 minutes; then its engine is off, and the bus tells the fuel alone."""
    lines = driving(unit, FuelLevel=50)
    for row in lines[900:]:
        del row["EngineSpeed"], row["VehicleSpeed"]
        row |= {"ignition": 0, "gpsspeed": 0}
    return lines


def halved(unit: str, **values: Any) -> Lines:
    """The wheels' speed is there in every other second."""
    lines = driving(unit, **values)
    for row in lines[::2]:
        del row["VehicleSpeed"]
    return lines


#: A to D, H and I are of one model and E alone of its own; the register knows none of F, G and J.
FLEET = {
    "A": stray("A", "TireTemp4", 5, RetarderOilTemp=80, TireTemp2=60, TireTemp3=60),
    "B": halved("B", RetarderOilTemp=80, TireTemp3=60),
    "C": driving("C", RetarderOilTemp=80),
    "D": driving("D"),
    "E": driving("E", gap=9, RetarderOilTemp=80),
    "F": driving("F", gap=9, gpsnumsat=4, unittype="water"),
    "G": driving("G", gap=9, gpsnumsat=None, unittype="water"),
    "H": driving("H", seconds=300),
    "I": asleep("I"),
    "J": driving("J", gap=20, gpsnumsat=4, VehicleSpeed=20, unittype="water"),
}
REGISTER = "deviceid,unitno,unittype,dstrct_code,model,valid_from,valid_to\n" + "".join(
    f"HW-{unit},{unit},dump,MLKB,{'own' if unit == 'E' else 'R55'},2026-01-01,\n"
    for unit in "ABCDEHI"
)


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """The mart's row of each unit and signal."""
    folder = tmp_path_factory.mktemp("trust")
    settings = load(home=folder / "home", threads=1)
    register = folder / "register.csv"
    register.write_text(REGISTER)
    ledger = open_ledger(settings)
    devices.import_csv(ledger, register)
    for unit, lines in FLEET.items():
        deliver(settings.raw_root, HOUR, lines, device=f"HW-{unit}")
    with Flow(settings, ledger) as flow:
        flow.ingest()
    build(ledger, settings, "w", now=NOW)
    names = (
        "unitno", "signal", "model", "minutes", "absent_minutes", "sisters", "sisters_with",
        "fitted", "gap_s", "gap_kmh", "gap_satellites", "trusted", "reason",
    )  # fmt: skip
    found = ask(settings, ledger, "signal_trust", f"SELECT {', '.join(names)} FROM signal_trust")
    ledger.close()
    return {row[:2]: dict(zip(names[2:], row[2:], strict=True)) for row in found}


@pytest.mark.parametrize(
    ("unit", "signal", "sisters", "fitted", "reason"),
    [
        # all of them have it but one; H and I ran too shortly to tell
        ("D", "RetarderOilTemp", (3, 3), True, "missing"),
        ("A", "RetarderOilTemp", (3, 2), True, None),
        ("I", "RetarderOilTemp", (4, 3), True, "missing"),
        # nobody has it: no fault, not even of one that hardly ran
        ("A", "TireTemp1", (3, 0), False, "not_fitted"),
        ("H", "TireTemp1", (4, 0), False, "not_fitted"),
        # one of three sisters has it, two of three do
        ("B", "TireTemp2", (3, 1), None, "untold"),
        ("A", "TireTemp2", (3, 0), True, None),
        ("C", "TireTemp3", (3, 2), True, "missing"),
        # stray values are no proof of a sensor
        ("A", "TireTemp4", (3, 0), None, "absent"),
        ("B", "TireTemp4", (2, 0), False, "not_fitted"),
        # the only one of its model
        ("E", "TireTemp1", (0, 0), None, "untold"),
        ("E", "RetarderOilTemp", (0, 0), True, None),
        # without a register the class is the model
        ("F", "TireTemp1", (2, 0), False, "not_fitted"),
        # what the device measures is on each of them
        ("E", "gpshdop", (0, 0), True, "missing"),
    ],
)
def test_a_signal_that_is_not_there_is_told_from_its_sisters(
    trust: dict[tuple[str, str], dict[str, Any]],
    unit: str,
    signal: str,
    sisters: tuple[int, int],
    fitted: bool | None,
    reason: str | None,
) -> None:
    row = trust[unit, signal]
    assert (row["sisters"], row["sisters_with"]) == sisters
    assert (row["fitted"], row["reason"]) == (fitted, reason)
    believed = {None: True, "missing": False, "absent": False}
    assert row["trusted"] is believed.get(reason)


def test_models_come_from_the_register(trust: dict[tuple[str, str], dict[str, Any]]) -> None:
    models = {unit: trust[unit, "ear"]["model"] for unit in FLEET}
    assert models == dict.fromkeys("ABCDHI", "R55") | {"E": "own"} | dict.fromkeys("FGJ", "water")


def test_what_is_not_due_is_not_absent(trust: dict[tuple[str, str], dict[str, Any]]) -> None:
    """The bus of I sleeps for 16 of 31 minutes; its GPS does not. Of H there are five minutes."""
    engine, gps = trust["I", "EngineSpeed"], trust["I", "gpsspeed"]
    assert (engine["minutes"], engine["absent_minutes"], engine["trusted"]) == (15, 0, True)
    assert (gps["minutes"], gps["absent_minutes"], gps["trusted"]) == (31, 0, True)
    fuel = trust["I", "FuelLevel"]
    assert (fuel["minutes"], fuel["absent_minutes"]) == (15, 0)
    short = trust["H", "EngineSpeed"]
    assert (short["minutes"], short["trusted"], short["reason"]) == (5, None, "unseen")


@pytest.mark.parametrize(
    ("unit", "gap", "satellites", "wheels", "gps"),
    [
        ("A", 1, 11, None, None),
        ("B", 1, 11, None, None),
        ("E", 9, 11, "gap", None),
        ("F", 9, 4, None, "gap"),
        ("G", 9, None, "gap", "gap"),
        ("H", None, None, "unseen", "unseen"),  # five minutes
        ("I", 1, 11, None, None),  # 15 minutes are enough
    ],
)
def test_two_speeds_tell_of_each_other(
    trust: dict[tuple[str, str], dict[str, Any]],
    unit: str,
    gap: float | None,
    satellites: float | None,
    wheels: str | None,
    gps: str | None,
) -> None:
    row = trust[unit, "VehicleSpeed"]
    seconds = {"B": SECONDS // 2, "H": 300, "I": 900}.get(unit, SECONDS)
    assert (row["gap_s"], row["gap_kmh"], row["gap_satellites"]) == (seconds, gap, satellites)
    other = trust[unit, "gpsspeed"]
    assert [other[name] for name in row if name.startswith("gap")] == [seconds, gap, satellites]
    assert (row["reason"], other["reason"]) == (wheels, gps)
    assert trust[unit, "EngineSpeed"]["gap_s"] is None


def test_one_that_stands_still_says_nothing_against_the_other(
    trust: dict[tuple[str, str], dict[str, Any]],
) -> None:
    assert trust["J", "VehicleSpeed"]["reason"] == "frozen"
    assert trust["J", "VehicleSpeed"]["gap_kmh"] > 20
    assert trust["J", "gpsspeed"]["trusted"] is True
