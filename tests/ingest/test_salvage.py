"""A corpus of nasty files, each with its exact counts: total, accepted, duplicate, bad, blank."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from pipeline import fields
from pipeline.flow import Flow
from pipeline.ingest import salvage as module
from pipeline.ingest.convert import convert
from pipeline.ingest.gunzip import TooLarge, Unpacked, gunzip
from pipeline.settings import Settings
from pipeline.storage import manifest
from pipeline.storage import tables as t
from pipeline.storage.commits import Arrival, commit_ingest
from pipeline.storage.lake import open_lake
from pipeline.storage.ledger import Ledger, extra_fields
from pipeline.storage.records import QUARANTINE
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
    "only blank lines": Nasty(b"\n\n\n", (3, 0, 0, 0, 3)),
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
    commit_ingest(ledger, open_lake(settings), arrival)
    (row,) = done.objects
    names = ("lines", "accepted", "duplicate", "quarantined", "blank")
    assert tuple(row[name] for name in names) == nasty.counts
    assert row["status"] == nasty.status
    assert row["key"] == key
    with ledger.read() as connection:
        bad_files = manifest.live(connection, QUARANTINE)
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
        (',"ear":0.1,"ear":"wide"', "ear", None, {"ear": [0.1, "wide"]}),
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
        (file,) = manifest.live(connection, QUARANTINE)
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


SOME = ("heartbeat", "deviceid", "unitno", "clipid", "ear", "mar", "uptime")
SCHEMA = {name: kind for name, kind in fields.json_schema().items() if name in SOME}

#: Ends of a good line that make it another: misfits, repeated and unknown keys, nulls, odd numbers.
ENDS = [
    *(b',"mar":%s' % v for v in (b"1", b"-9999", b"-0", b'"-9999"', b"null", b"1e999", b"true")),
    *(b',"uptime":%s' % v for v in (b"9007199254740993", b"9" * 320, b"0.1", b"[1]", b'"7"')),
    *(b',"clipid":%s' % v for v in (b"7", b"2.0", b"-0.0", b"1e15", b"0.00001", b"true", b"{}")),
    *(b',"clipid":"%s"' % v for v in (b"\\ud800", b"\\u0000", b"[x", b"12345678901234567")),
    *(b',"ear":0.2%s' % v for v in (b"", b',"ear":0.3', b',"ear":null', b',"EAR":null', b"e")),
    *(b',"ear":null%s' % v for v in (b',"ear":0.3', b',"ear":null', b',"e\\u0061r":0.3')),
    *(b',"%s":5' % v for v in (b"strange", b"Strange", b"_src", b"", b"EAR", b"a b")),
    *(b',"strange":%s' % v for v in (b"null", b'"x"', b'{"ear":null}', b"[null]")),
    *(b',"%s":%d' % (v, START) for v in (b"heartbeat", b"HEARTBEAT", b'\\"heartbeat')),
    *(b',"ear"%s0.2' % v for v in (b" :", b": ", b":  ", b":\t")),
]
HEARTBEATS = [
    *(b"%d" % START, b"%d.0" % START, b"%d.25" % START, b"%d.250" % START, b'"%d"' % START),
    *(b'"%d.50"' % START, b"123456789012345.123456", b"1.7e9", b"1e22", b"0.00001", b"0.0", b"-5"),
    *(b"-9999", b'"-9999.0"', b"-9999.0", b"null", b"true", b"[1]", b'"noon"', b'"nan"', b'" 5"'),
    *(b'"%s"' % (b"9" * 400), '"٥"'.encode(), b'"1_0"', b"007"),
]
WHOLE = [
    *(b"", b"  ", b"\r", b"\f", b"{}", b"[]", b"null", b"5", b"not json", b"\0", b"\xff"),
    *(GOOD[0] + end for end in (b"\r", b" ", b"\f", b"\0", b"x", b",", GOOD[1], b"\r" + GOOD[1])),
    *(b" " + GOOD[0], b"\xef\xbb\xbf" + GOOD[0], GOOD[0][:-9], b'{"unitno":"DT101"}'),
]
A_LINE = st.one_of(
    st.integers(0, 99).map(line),
    st.integers(0, 99).map(line),  # half are good, so that whole blocks are
    st.sampled_from(ENDS).map(lambda end: line(0, end.decode())),
    st.sampled_from(HEARTBEATS).map(lambda value: b'{"unitno":"DT101","heartbeat":%s}' % value),
    st.sampled_from(WHOLE),
)


def salvaged(unpacked: Unpacked, block: int, *, ask: bool = True) -> module.Salvaged:
    """What salvage makes of it, with blocks of so many lines, or without asking the fast path."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        if not ask:
            patch.setattr(module, "_vouched", lambda *_: None)
        return module.salvage(unpacked, SCHEMA, 10**6)


def assert_same(blocks: module.Salvaged, single: module.Salvaged) -> None:
    assert blocks.frame.schema == single.frame.schema
    # As text: minus zero equals zero, and is another value.
    assert [*map(str, blocks.frame.rows())] == [*map(str, single.frame.rows())]
    assert blocks.bad == single.bad
    assert (blocks.lines, blocks.blank) == (single.lines, single.blank)
    assert list(blocks.unknown.items()) == list(single.unknown.items())


@given(st.lists(A_LINE, max_size=16), st.booleans(), st.sampled_from([b"", b"\n"]))
def test_blocks_give_what_single_lines_give(parts: list[bytes], torn: bool, end: bytes) -> None:
    unpacked = Unpacked(b"\n".join(parts) + end, torn=torn, trailing=b"tail" if torn else b"")
    assert_same(salvaged(unpacked, 3), salvaged(unpacked, 3, ask=False))


@pytest.mark.parametrize("block", [1, 2, 3])
def test_each_odd_line_alone_in_blocks_gives_what_it_gives_by_itself(block: int) -> None:
    """Each kind of line, whatever chance leaves out, at each place of a block."""
    odd = [
        *(line(0, end.decode()) for end in ENDS),
        *(b'{"unitno":"DT101","heartbeat":%s}' % value for value in HEARTBEATS),
        *WHOLE,
    ]
    for part in odd:
        for before in range(block):
            parts = [*GOOD[:before], part, *GOOD[before : block + 1]]
            unpacked = Unpacked(b"\n".join(parts) + b"\n")
            assert_same(salvaged(unpacked, block), salvaged(unpacked, block, ask=False))


def asked(parts: list[bytes], monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[int]]:
    """(first lines of the blocks the fast path was asked about, lines that were read alone)."""
    blocks, alone = [], []
    vouched, add = module._vouched, module._Rows.add

    def ask(block: module._Lines, schema: dict[str, pl.DataType]) -> pl.DataFrame | None:
        blocks.append(block[0][0])
        return vouched(block, schema)

    def read(rows: module._Rows, number: int, pairs: list[tuple[str, object]]) -> None:
        alone.append(number)
        add(rows, number, pairs)

    monkeypatch.setattr(module, "BLOCK", 3)
    monkeypatch.setattr(module, "_vouched", ask)
    monkeypatch.setattr(module._Rows, "add", read)
    module.salvage(Unpacked(lines(*parts)), SCHEMA, 10**6)
    return blocks, alone


def test_only_the_block_of_a_bad_line_is_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    good = [line(i) for i in range(12)]
    blocks, alone = asked([*good[:4], b"not json", b"", *good[4:]], monkeypatch)
    assert blocks == [1, 4, 8, 11, 14]  # blank lines are in no block
    assert alone == [4, 7]


def test_a_hopeless_file_is_seldom_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    hopeless = [line(i, ',"ear":0.1,"ear":0.2') for i in range(66)]
    blocks, alone = asked(hopeless + [line(i) for i in range(30)], monkeypatch)
    # Three refusals, a pause of eight blocks, one more refusal, and so on until one is vouched for.
    assert blocks == [1, 4, 7, 34, 61, 88, 91, 94]
    assert alone == list(range(1, 88))
