"""A corpus of nasty files, each with its exact counts: total, accepted, duplicate, bad, blank."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.flow import Flow
from pipeline.ingest.convert import convert
from pipeline.ingest.gunzip import TooLarge, gunzip
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.commits import Arrival, commit_ingest
from pipeline.storage.ledger import Ledger, extra_fields
from pipeline.verify import verify
from tests.ingest.test_run import job, visible
from tests.make import DISTRICT, deliver, epoch, rows, text

HOUR = "2026013107"
START = epoch(HOUR)


def line(i: int = 0, extra: str = "") -> bytes:
    """One good line, second ``i`` of the hour, with raw JSON appended."""
    return f'{{"heartbeat":{START + i},"deviceid":"HW-1","unitno":"DT101"{extra}}}'.encode()


def lines(*parts: bytes) -> bytes:
    return b"".join(part + b"\n" for part in parts)


GOOD = [line(i) for i in range(5)]


@dataclass(frozen=True)
class Nasty:
    """A file's content (packed unless ``plain``) and what must come of it."""

    content: bytes
    counts: tuple[int, int, int, int, int]
    reasons: tuple[str, ...] = ()
    status: str = "ok"
    plain: bool = False


def bad(content: bytes, reason: str) -> Nasty:
    """A bad line between good ones."""
    return Nasty(lines(*GOOD, content), (6, 5, 0, 1, 0), (reason,))


def packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


def wrong_crc(body: bytes) -> bytes:
    whole = packed(body)
    return whole[:-8] + bytes(4) + whole[-4:]


BODY = lines(*GOOD)
#: Random-looking text, so that a cut in the middle of the packed bytes is one in the text's middle.
LONG = lines(*(line(i, f',"clipid":"{zlib.crc32(i.to_bytes(2)):x}"') for i in range(600)))

CORPUS: dict[str, Nasty] = {
    "good": Nasty(BODY, (5, 5, 0, 0, 0)),
    "no newline at the end": Nasty(BODY[:-1], (5, 5, 0, 0, 0)),
    "no newline, salvage": Nasty(BODY + b"\n" + line(7), (7, 6, 0, 0, 1)),
    "windows line ends": Nasty(BODY.replace(b"\n", b"\r\n"), (5, 5, 0, 0, 0)),
    "blank lines": Nasty(b"\n" + BODY + b"  \t\r\n\n", (8, 5, 0, 0, 3)),
    "only blank lines": Nasty(b"\n\n\n", (3, 0, 0, 0, 3), status="corrupt"),
    "packed nothing": Nasty(b"", (0, 0, 0, 0, 0)),
    "zero bytes": Nasty(b"", (0, 0, 0, 0, 0), status="corrupt", plain=True),
    "plain text": Nasty(BODY, (5, 5, 0, 0, 0), plain=True),
    "plain rubbish": Nasty(b"hello", (1, 0, 0, 1, 0), ("json",), "corrupt", True),
    "a png": Nasty(
        b"\x89PNG\r\n\x1a\n\0\0", (3, 0, 0, 3, 0), ("utf8", "json", "nul"), "corrupt", True
    ),
    "two members": Nasty(packed(BODY) + packed(line(9) + b"\n"), (6, 6, 0, 0, 0), plain=True),
    "two members cut a line": Nasty(
        packed(BODY[:-20]) + packed(BODY[-20:]), (5, 5, 0, 0, 0), plain=True
    ),
    "an empty member first": Nasty(packed(b"") + packed(BODY), (5, 5, 0, 0, 0), plain=True),
    "zeros behind": Nasty(packed(BODY) + bytes(512), (5, 5, 0, 0, 0), plain=True),
    "rubbish behind": Nasty(packed(BODY) + b"tail", (6, 5, 0, 1, 0), ("trailing",), plain=True),
    "second member torn": Nasty(
        packed(BODY) + packed(LONG)[:-9], (605, 600, 5, 0, 0), (), "partial", True
    ),
    "torn inside a line": Nasty(
        packed(LONG)[:1500], (154, 153, 0, 1, 0), ("torn",), "partial", True
    ),
    "wrong crc": Nasty(wrong_crc(BODY), (5, 5, 0, 0, 0), status="corrupt", plain=True),
    "wrong length": Nasty(packed(BODY)[:-4] + bytes(4), (5, 5, 0, 0, 0), (), "corrupt", True),
    "only the magic": Nasty(b"\x1f\x8b", (0, 0, 0, 0, 0), (), "corrupt", True),
    "only the header": Nasty(packed(BODY)[:10], (0, 0, 0, 0, 0), (), "corrupt", True),
    "trailer cut": Nasty(packed(BODY)[:-8], (5, 5, 0, 0, 0), (), "partial", True),
    "not json": bad(b"not json", "json"),
    "single quotes": bad(b"{'heartbeat':1}", "json"),
    "half a line": bad(GOOD[0][:-9], "json"),
    "two objects a line": bad(GOOD[0] + GOOD[1], "json"),
    "trailing comma": bad(line(7, ","), "json"),
    "leading zero": bad(line(7, ',"uptime":01'), "json"),
    "plus sign": bad(line(7, ',"uptime":+1'), "json"),
    "hex": bad(line(7, ',"uptime":0x1F'), "json"),
    "nan": bad(line(7, ',"ear":NaN'), "json"),
    "infinity": bad(line(7, ',"ear":-Infinity'), "json"),
    "tab inside a string": bad(line(7, ',"clipid":"a\tb"'), "json"),
    "bad escape": bad(line(7, ',"clipid":"\\x"'), "json"),
    "comment": bad(b"// " + GOOD[0], "json"),
    "deeply nested": bad(b"[" * 100_000, "json"),
    "an array": bad(b"[1,2]", "not object"),
    "a number": bad(b"42", "not object"),
    "a string": bad(b'"heartbeat"', "not object"),
    "null": bad(b"null", "not object"),
    "true": bad(b"true", "not object"),
    "nul bytes": bad(bytes(20), "nul"),
    "nul inside": bad(line(7, ',"clipid":"a\0b"'), "nul"),
    "invalid utf-8": bad(line(7).replace(b"DT101", b"\xff\xfe"), "utf8"),
    "latin 1": bad(line(7).replace(b"DT101", "Überlast".encode("latin-1")), "utf8"),
    "overlong utf-8": bad(line(7).replace(b"DT101", b"\xc0\xaf"), "utf8"),
    "bom": Nasty(b"\xef\xbb\xbf" + BODY, (5, 4, 0, 1, 0), ("bom",)),
    "utf-16": Nasty(BODY.decode().encode("utf-16"), (6, 0, 0, 6, 0), ("nul",), "corrupt"),
    "no heartbeat": bad(b'{"deviceid":"HW-1"}', "heartbeat"),
    "empty object": bad(b"{}", "heartbeat"),
    "heartbeat null": bad(b'{"heartbeat":null}', "heartbeat"),
    "heartbeat true": bad(b'{"heartbeat":true}', "heartbeat"),
    "heartbeat list": bad(b'{"heartbeat":[1]}', "heartbeat"),
    "heartbeat words": bad(b'{"heartbeat":"noon"}', "heartbeat"),
    "heartbeat nan as text": bad(b'{"heartbeat":"nan"}', "heartbeat"),
    "heartbeat sentinel": bad(b'{"heartbeat":-9999}', "heartbeat"),
    "heartbeat sentinel as text": bad(b'{"heartbeat":"-9999.0"}', "heartbeat"),
    "clock at 1970": bad(b'{"heartbeat":1000}', "clock"),
    "clock in the future": bad(b'{"heartbeat":4102444800}', "clock"),
    "clock far out": bad(b'{"heartbeat":1e300}', "clock"),
    "clock negative": bad(b'{"heartbeat":-5}', "clock"),
    "heartbeat as text": Nasty(lines(*GOOD, b'{"heartbeat":"%d"}' % (START + 8)), (6, 6, 0, 0, 0)),
    "same second again": Nasty(lines(*GOOD, line(2, ',"ear":0.3')), (6, 5, 1, 0, 0)),
    "same second in ms": Nasty(lines(*GOOD, b'{"heartbeat":%d}' % (START * 1000)), (6, 5, 1, 0, 0)),
    "four units mixed": Nasty(
        lines(*(b'{"heartbeat":%d}' % ((START + i) * 1000**i) for i in range(4))), (4, 4, 0, 0, 0)
    ),
    "half seconds": Nasty(lines(GOOD[0], b'{"heartbeat":%d.5}' % START), (2, 2, 0, 0, 0)),
    "duplicate key": Nasty(lines(line(0, ',"ear":0.1,"ear":0.2')), (1, 1, 0, 0, 0)),
    "nested value": Nasty(lines(line(0, ',"ear":{"l":1,"r":2}')), (1, 1, 0, 0, 0)),
    "list value": Nasty(lines(line(0, ',"unittype":["dump"]')), (1, 1, 0, 0, 0)),
    "bool for a number": Nasty(lines(line(0, ',"ear":true')), (1, 1, 0, 0, 0)),
    "text for a number": Nasty(lines(line(0, ',"ear":"wide"')), (1, 1, 0, 0, 0)),
    "too large for a float": Nasty(lines(line(0, ',"ear":1e999')), (1, 1, 0, 0, 0)),
    "lone surrogate": Nasty(lines(line(0, ',"clipid":"\\ud800"')), (1, 1, 0, 0, 0)),
    "escaped key": Nasty(lines(line(0, ',"e\\u0061r":0.3')), (1, 1, 0, 0, 0)),
    "key in other case": Nasty(lines(line(0, ',"EAR":0.3')), (1, 1, 0, 0, 0)),
    "space before colon": Nasty(lines(line(0, ',"ear" : 0.3')), (1, 1, 0, 0, 0)),
    "reserved name": Nasty(lines(line(0, ',"_src":1,"ts":"x"')), (1, 1, 0, 0, 0)),
    "another device": Nasty(lines(line(0).replace(b"HW-1", b"HW-2"), line(1)), (2, 2, 0, 0, 0)),
}


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("nasty", CORPUS.values(), ids=CORPUS)
def test_every_line_is_accounted_for(
    nasty: Nasty, raw: Path, settings: Settings, ledger: Ledger
) -> None:
    key = deliver(raw, HOUR, nasty.content, packed=not nasty.plain)
    work = job(ledger, settings, raw)
    done = convert(work)
    if done.unknown:
        pytest.fail(f"unexpected fields {done.unknown}")
    arrival = Arrival(work.claim, done.objects, done.files, {DISTRICT: settings.zone})
    commit_ingest(ledger, settings.lake_root, arrival)
    (row,) = done.objects
    names = ("lines", "accepted", "duplicate", "quarantined", "blank")
    assert tuple(row[name] for name in names) == nasty.counts
    assert row["status"] == nasty.status
    assert row["key"] == key
    with ledger.read() as connection:
        bad_files = manifest.live(connection, manifest.QUARANTINE)
    assert sum(file.rows for file in bad_files) == nasty.counts[3]
    for reason in nasty.reasons:
        assert reason in row["error"]
    assert visible(settings, ledger, "count(*)") == [(nasty.counts[1],)]
    assert verify(ledger, settings).ok
    if row["accepted"] and row["status"] == "ok":
        assert row["min_ts"] >= START * 10**6


def one(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow, content: bytes, what: str
) -> object:
    deliver(raw, HOUR, content)
    flow.ingest()
    ((value,),) = visible(settings, ledger, what)
    return value


@pytest.mark.parametrize(
    ("extra", "column", "value", "rescued"),
    [
        (',"ear":0.1,"ear":0.2', "ear", 0.2, {"ear": 0.1}),
        (',"ear":0.1,"ear":0.2,"ear":0.3', "ear", 0.3, {"ear": [0.1, 0.2]}),
        (',"ear":{"l":1,"r":2}', "ear", None, {"ear": {"l": 1, "r": 2}}),
        (',"ear":true', "ear", None, {"ear": True}),
        (',"ear":"wide"', "ear", None, {"ear": "wide"}),
        (',"ear":"-9999","mar":[]', "ear", None, {"mar": []}),
        (',"ear":1e999', "ear", None, {"ear": "inf"}),
        (
            ',"uptime":[],"VehicleSpeed":255.996',
            "VehicleSpeed",
            None,
            {"uptime": [], "VehicleSpeed": 255.996},
        ),
        (',"EAR":0.25,"mar":[]', "ear", 0.25, {"mar": []}),
        (',"_src":5,"mar":[]', "unitno", "DT101", {"_src": 5, "mar": []}),
    ],
)
def test_what_does_not_fit_is_rescued(
    raw: Path,
    settings: Settings,
    ledger: Ledger,
    flow: Flow,
    extra: str,
    column: str,
    value: object,
    rescued: dict[str, object],
) -> None:
    content = lines(line(0, extra))
    assert one(raw, settings, ledger, flow, content, column) == value
    ((kept,),) = visible(settings, ledger, "_rescued")
    assert json.loads(kept) == rescued


def test_a_new_field_anywhere_becomes_a_column(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    deliver(raw, HOUR, rows(HOUR, 5))
    flow.ingest()
    later = rows("2026013108", 5)
    later[3] |= {"blink2": 1.5, "mood": "fine", "fresh": None}
    deliver(raw, "2026013108", later)
    result = flow.ingest()
    assert result.new_fields == ["blink2", "mood"]
    assert result.files["ok"] == 1
    with ledger.read() as connection:
        assert extra_fields(connection) == {"blink2": "DOUBLE", "mood": "VARCHAR"}
    found = visible(settings, ledger, "blink2, mood", "blink2 IS NOT NULL")
    assert found == [(1.5, "fine")]
    assert visible(settings, ledger, "count(*), count(_rescued)") == [(10, 0)]
    # A misfit never changes the type; it is rescued.
    last = rows("2026013109", 2)
    last[0] |= {"blink2": "high"}
    deliver(raw, "2026013109", last)
    assert flow.ingest().new_fields == []
    assert visible(settings, ledger, "_rescued", "_rescued IS NOT NULL") == [
        ('{"blink2": "high"}',)
    ]
    assert verify(ledger, settings).ok


def test_only_so_many_new_fields_a_day(raw: Path, settings: Settings, ledger: Ledger) -> None:
    few = settings.model_copy(update={"new_fields_a_day": 2})
    deliver(raw, HOUR, [rows(HOUR, 1)[0] | {"a1": 1, "a2": 2, "a3": 3}])
    with Flow(few, ledger) as flow:
        assert flow.ingest().new_fields == ["a1", "a2"]
    ((kept,),) = visible(settings, ledger, "_rescued")
    assert json.loads(kept) == {"a3": 3}


@pytest.mark.parametrize(("most_bytes", "most_line"), [(1_000, 10_000), (10**6, 1_000)])
def test_a_file_beyond_a_limit_is_set_aside(
    raw: Path, settings: Settings, ledger: Ledger, most_bytes: int, most_line: int
) -> None:
    small = settings.model_copy(update={"most_bytes": most_bytes, "most_line_bytes": most_line})
    key = deliver(raw, HOUR, lines(*GOOD, b"x" * 2_000))
    deliver(raw, HOUR, rows(HOUR, 1, "HW-2"), device="HW-2")
    with Flow(small, ledger) as flow:
        result = flow.ingest()
    assert list(result.failed) == [key]
    assert result.files["ok"] == 1
    assert "more than 1,000 bytes" in result.failed[key]


def test_a_tear_anywhere_gives_every_whole_line() -> None:
    whole = packed(LONG)
    before = zlib.decompressobj(31)
    for cut in range(2, len(whole) - 8, 997):
        text_before = before.copy().decompress(whole[:cut])
        got = gunzip(whole[:cut], 10**6)
        assert got.torn
        assert got.text == text_before


def test_damage_in_the_middle_gives_what_lies_before_it() -> None:
    whole = bytearray(packed(LONG))
    whole[len(whole) // 2] ^= 0xFF
    got = gunzip(bytes(whole), 10**6)
    assert got.torn or got.crc
    first = LONG.splitlines()[0]
    assert got.text.startswith(first)


def test_a_bomb_stops_at_the_limit() -> None:
    with pytest.raises(TooLarge):
        gunzip(gzip.compress(bytes(50_000_000)), 1_000_000)


def test_bad_lines_are_kept_with_their_bytes(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    import pyarrow.parquet as pq

    key = deliver(raw, HOUR, lines(GOOD[0], b"\xff bad", GOOD[1], b"not json"))
    flow.ingest()
    with ledger.read() as connection:
        (file,) = manifest.live(connection, manifest.QUARANTINE)
        src = connection.execute(select(t.raw_objects.c.id)).scalar_one()
    table = pq.read_table(settings.lake_root / file.path, partitioning=None)
    assert table.to_pylist() == [
        {"_src": src, "key": key, "line": 2, "reason": "utf8", "bytes": b"\xff bad"},
        {"_src": src, "key": key, "line": 4, "reason": "json", "bytes": b"not json"},
    ]


Fill = Callable[[], None]


def test_salvage_agrees_with_the_fast_path(
    raw: Path, settings: Settings, ledger: Ledger, flow: Flow
) -> None:
    """The same good lines, once fast and once slow (a blank line sends the file there)."""
    good = rows(HOUR, 30, ear=0.3, mar=-9999, operatorid="-9999", VehicleSpeed=255.996, uptime=7)
    deliver(raw, HOUR, text(good))
    deliver(raw, HOUR, text(good) + b"\n", device="HW-2")
    flow.ingest()
    columns = (
        "* EXCLUDE (deviceid, _src, _rescued), json_extract(_rescued, '$.VehicleSpeed')::DOUBLE"
    )
    fast = visible(settings, ledger, columns, "deviceid = 'HW-1' ORDER BY ts")
    slow = visible(settings, ledger, columns, "deviceid = 'HW-2' ORDER BY ts")
    assert fast == slow
    assert len(fast) == 30
