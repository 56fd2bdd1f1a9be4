"""Hostile lines end to end: read on both paths, and read again by the deep check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.flow import Flow
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from pipeline.verify import verify
from tests.ingest.test_run import visible
from tests.make import deliver, epoch

HOUR = "2026013107"
START = epoch(HOUR)


def one(number: int, rest: str, name: str = "heartbeat") -> bytes:
    """A line of second ``number`` of the hour with raw JSON behind the heartbeat."""
    return f'{{"{name}":{START + number}{rest}}}\n'.encode()


#: Values of the wrong kind, for fields that hold numbers and for fields that hold text.
MISFITS = ['["}"]', "{}", '{"a":{"b":1}}', "[[]]", "true", '"5"', "1e400", "9" * 400, '"\\ud800"']


def test_the_deep_check_takes_any_value_for_a_known_field(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    lines = [
        one(i, f',"{field}":{value},"gpsspeed":99999')
        for i, (field, value) in enumerate(
            (field, value) for field in ("unitno", "ear") for value in MISFITS
        )
    ]
    deliver(raw, HOUR, b"".join(lines))
    assert flow.ingest().lines["accepted"] == len(lines)
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches


@pytest.mark.parametrize(
    ("line", "second"),
    [
        (one(1, ',"gpsspeed":5', "Heartbeat"), 1),
        (one(1, f',"HEARTBEAT":{START + 2}'), 2),
        (one(1, f',"Heartbeat":{START + 2},"heartbeat":{START + 3}'), 3),
    ],
)
def test_the_deep_check_finds_the_heartbeat_in_any_case(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, line: bytes, second: int
) -> None:
    deliver(raw, HOUR, line)
    assert flow.ingest().lines["accepted"] == 1
    assert visible(settings, ledger, "epoch_us(ts)") == [((START + second) * 10**6,)]
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches


#: Rescued values that meet in one row, and what must be left of them.
MEETINGS = {
    ',"unitno":{"a":{"b":1}},"gpsspeed":99999': {"unitno": {"a": {"b": 1}}, "gpsspeed": 99999},
    ',"deviceid":"X{}","ear":{"l":{}}': {"deviceid": "X{}", "ear": {"l": {}}},
    ',"gpsspeed":5,"gpsspeed":99999': {"gpsspeed": [5, 99999]},
    ',"deviceid":"A","deviceid":"B"': {"deviceid": ["A", "B"]},
    ',"deviceid":"a\\"}","gpsspeed":99999': {"deviceid": 'a"}', "gpsspeed": 99999},
    ',"deviceid":"X","dstrct_code":"\\u0001{"': {"deviceid": "X", "dstrct_code": "\x01{"},
    ',"gpsspeed":-1e308': {"gpsspeed": -1e308},
}


@pytest.mark.parametrize("behind", [b"", b"\n"], ids=["as it comes", "line by line"])
def test_what_is_rescued_is_json_and_complete(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, behind: bytes
) -> None:
    """Each line in a file of its own: a blank line behind it sends it the slow way."""
    for i, rest in enumerate(MEETINGS):
        deliver(raw, HOUR, one(i, rest) + behind, device=f"HW-{i}")
    flow.ingest()
    shown = visible(settings, ledger, "_rescued", "true ORDER BY ts")
    assert [json.loads(text) for (text,) in shown] == list(MEETINGS.values())
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches


def test_a_value_nested_too_deep_is_a_bad_line_and_no_bad_file(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deep, deepest = ('"mar":' + "[" * n + "]" * n for n in (600, 99))
    deliver(raw, HOUR, one(0, "," + deep) + one(1, "," + deepest))
    result = flow.ingest()
    assert (result.lines["accepted"], result.lines["quarantined"]) == (1, 1)
    checked = verify(ledger, settings, deep=True)
    assert checked.ok, checked.breaches
