"""The codes of the downtime log."""

from pipeline.downtime import BY_CODE, CODES, KINDS


def test_every_code_counts_as_one_kind_of_time() -> None:
    by_kind = {kind: [code.code for code in CODES if code.kind == kind] for kind in KINDS}
    assert by_kind == {
        "W": ["P5M", "P2H", "FUEL", "REST", "SHIFT", "FRIDAY", "NOOP"],
        "S": ["RAIN", "SLIP", "FOG"],
        "R": ["SERV", "BD", "TYRE", "INC"],
    }
    assert len(BY_CODE) == len(CODES) == 14


def test_repairs_and_nothing_else_are_scheduled_or_not() -> None:
    planned = {code.code: code.scheduled for code in CODES if code.kind == "R"}
    assert planned == {"SERV": True, "BD": False, "TYRE": False, "INC": False}
    assert {code.scheduled for code in CODES if code.kind != "R"} == {None}


def test_codes_are_written_as_they_are_compared() -> None:
    for code in CODES:
        assert code.code == code.code.upper().strip()
        assert code.label
