"""What may rightly be said of an hour, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipeline.simulator import DEFAULT_START, SimSpec
from tests.accuracy import delivery
from tests.accuracy.delivery import Answer, Facts, Hour, causes, states
from tests.accuracy.states import Compared
from tests.accuracy.truth import Truth

LOST = Facts(delivered=False, on=3600, moved=2000, gap_on=3600, cause="lost_on_device")
PARKED = Facts(delivered=False, alive=0, gap_on=0, cause="parked")


@pytest.mark.parametrize(
    ("facts", "right"),
    [
        (Facts(True, rows=3600), "complete"),
        (Facts(True, rows=3564), "complete"),
        (Facts(True, rows=3563), "partial"),
        (Facts(True, rows=1800, alive=1800), "complete"),  # on for half an hour only
        (Facts(True, corrupt=True, rows=3600), "corrupt"),
        (LOST, "missing"),
        (Facts(False, age=3 * 3600 - 1), "pending"),
        (PARKED, "proven_off"),
        (Facts(False, on=184, gap_on=184), "missing"),
        (Facts(False, on=9, moved=1, gap_on=9), "missing"),
    ],
)
def test_the_one_right_state(facts: Facts, right: str) -> None:
    assert states(facts) == (right,)


@pytest.mark.parametrize("gap_on", [None, 200])
def test_off_that_cannot_be_proven_may_be_missing(gap_on: int | None) -> None:
    assert set(states(Facts(False, gap_on=gap_on))) == {"missing", "proven_off"}


def test_what_an_open_end_lacks_may_be_complete() -> None:
    assert states(Facts(True, rows=2900, between=2900)) == ("partial", "complete")
    assert states(Facts(True, rows=2800, between=2900)) == ("partial",)


def test_seconds_before_a_restart_are_hidden_and_those_after_it_are_not() -> None:
    """Rows end at 99, and come again at 200 as the 41st of the next boot: it began at 160."""
    spec = SimSpec(units=1, hours=1, start=DEFAULT_START, seed=1)
    state = {"HW-1": np.zeros(3600, np.uint8)}
    run = Truth(spec, state, state, {}, {}, pl.DataFrame(), pl.DataFrame())
    seconds = [*range(100), *range(200, 300)]
    rows = pl.DataFrame(
        {
            "deviceid": "HW-1",
            "second": [spec.epoch + second for second in seconds],
            "boot": [7] * 100 + [8] * 100,
            "row": [*range(501, 601), *range(41, 141)],
        }
    )
    hidden = delivery.before_restarts(run, rows)["HW-1"]
    assert np.flatnonzero(hidden).tolist() == list(range(100, 160))


def test_engine_seconds_of_a_gap() -> None:
    on = np.zeros(3 * 3600, np.bool_)
    on[3000:3100] = on[3590:3605] = on[9000:9100] = True
    visible = np.ones(3 * 3600, np.bool_)
    visible[3595:7210] = False
    assert delivery.gap_on(on, visible, 3600) == 10  # 3595 … 3604
    visible[7200:] = False
    assert delivery.gap_on(on, visible, 3600) is None


def test_a_unit_that_moved_is_never_parked() -> None:
    assert Hour(LOST, Answer("proven_off")).breach
    assert Hour(LOST, Answer("missing", "parked")).breach
    assert not Hour(LOST, Answer("missing", "lost_on_device")).breach
    assert not Hour(PARKED, Answer("proven_off", "parked")).breach


def test_causes() -> None:
    assert causes(LOST) == ("lost_on_device",)
    off = Facts(False, on=600, cause="device_off")
    assert causes(off) == ("lost_on_device",)
    assert causes(Facts(False, on=0, cause="device_off")) == ("lost_on_device", "parked")
    assert causes(Facts(True, cause="")) == ()


def test_a_file_lost_while_the_unit_stood_is_parked_as_well() -> None:
    stood = Facts(False, gap_on=0, cause="lost_on_device")
    assert causes(stood) == ("lost_on_device", "parked")
    # what the counters cannot prove is not called so
    assert causes(replace(stood, gap_on=200)) == ("lost_on_device",)


def test_a_silence_that_has_not_ended_is_explained_by_its_beginning() -> None:
    moved = Facts(False, on=900, moved=300, cause="no_coverage", began="stuck_backlog")
    assert causes(moved) == ("no_coverage", "stuck_backlog")
    assert causes(replace(moved, began="device_off")) == ("no_coverage", "lost_on_device")
    assert causes(replace(moved, began="parked")) == ("no_coverage",)
    asleep = Facts(False, cause="parked", began="no_coverage")
    assert causes(asleep) == ("parked", "no_coverage")
    assert causes(replace(asleep, began=None)) == ("parked",)
    # a file that never came looks like one that still waits, until the next one comes
    lost = replace(moved, cause="lost_on_device", began="lost_on_device")
    assert causes(lost) == ("lost_on_device", "stuck_backlog")


def test_the_hour_of_the_last_row() -> None:
    visible = np.zeros(3 * 3600, np.bool_)
    assert delivery._last_hour(visible) == -3600
    visible[7199] = True
    assert delivery._last_hour(visible) == 3600
    visible[7200] = True
    assert delivery._last_hour(visible) == 7200


def test_macro_recall_gives_every_cause_the_same_weight() -> None:
    told = [Hour(PARKED, Answer("proven_off", "parked"))] * 9
    told += [Hour(PARKED, Answer("missing"))]  # 9 of 10
    told += [Hour(LOST, Answer("missing", "lost_on_device")), Hour(LOST, Answer("missing"))]
    told += [Hour(Facts(True, rows=3600), Answer("complete"))]
    assert delivery.by_cause(told) == {"lost_on_device": (1, 2), "parked": (9, 10)}
    assert delivery.macro_recall(told) == pytest.approx(0.7)
    assert delivery.exact(told) == pytest.approx(12 / 13)


def test_confidence_is_held_against_what_was_right() -> None:
    told = [Hour(LOST, Answer("missing", "lost_on_device", 0.8))] * 3
    told += [Hour(LOST, Answer("missing", "no_coverage", 0.8))]
    told += [Hour(LOST, Answer("missing", "lost_on_device", 1.0))]
    assert delivery.calibration_rows(told) == [
        ("0.7–0.9", "4", "0.800", "0.750", "0.301–0.954"),
        ("0.9–1", "1", "1.000", "1.000", "0.207–1.000"),
    ]


def test_errors_that_cancel_out_are_still_misplaced() -> None:
    nothing = {"off": 0, "idle": 0, "moving": 0, "unknown": 0}
    true = {("DT1", 0): nothing | {"idle": 60}, ("DT1", 60): nothing | {"moving": 60}}
    told = {("DT1", 0): nothing | {"moving": 60}, ("DT1", 60): nothing | {"idle": 54, "unknown": 6}}
    compared = Compared().add(true, told)
    assert compared.seconds == 120
    assert compared.misplaced == 120
    assert compared.error_pct() == pytest.approx(5)  # 6 s idle short, 6 s unknown too many
