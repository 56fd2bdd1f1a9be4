"""The fast path's promise: a frame with every value of the text, or a refusal."""

from __future__ import annotations

import gzip
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import fields
from pipeline.errors import RefusedByFastPath
from pipeline.ingest import fast, unpack

SCHEMA = fields.json_schema()


def read(text: bytes) -> pl.DataFrame:
    return fast.read(text, SCHEMA)


@pytest.mark.parametrize(
    "line",
    [
        b'{"heartbeat":1767225600,"ear":0.3}',
        b'{"heartbeat":1767225600, "ear": 0.3}',
        b'{"heartbeat":"1767225600","ear":null}',
        b'{"heartbeat":1767225600.25,"deviceid":"a:b : c"}',
        b'{"heartbeat":1767225600,"ear":-9999,"unitno":"-9999"}',
    ],
)
def test_what_can_be_proven_is_read(line: bytes) -> None:
    frame = read(line + b"\n" + line)
    assert frame.height == 2
    assert frame["heartbeat"].null_count() == 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"heartbeat":1,"unheard_of":5}\n', "unknown"),
        (b'{"heartbeat":1,"unheard_of":null}\n', None),  # a null of nobody loses nothing
        (b'{"heartbeat":1,"ear":0.1,"ear":0.2}\n', "repeated"),
        (b'{"heartbeat":1,"ear":0.1,"ear":null}\n', "twice|repeated"),
        (b'{"heartbeat":1,"ear":null,"ear":0.1}\n', "twice|repeated"),
        (b'{"heartbeat":1,"ear":null}\n{"heartbeat":2,"ear": null,"ear":1}\n', "twice|repeated"),
        (b'{"heartbeat":1,"e\\u0061r":null}\n', "escapes"),
        (b'{"heartbeat" :1,"unheard_of":5}\n', "white space"),
        (b'{"heartbeat"  :1,"unheard_of":5}\n', "white space"),
        (b'{"heartbeat":1,"ear":\tnull}\n', "white space"),
        (b'{"heartbeat":1}\n\n{"heartbeat":2}\n', "lines"),
        (b'{"heartbeat":1,"ear":"0.3"}\n', "strict"),
        (b'{"heartbeat":1,"ear":true}\n', "strict"),
        (b'{"heartbeat":1,"ear":NaN}\n', "strict"),
        (b'{"heartbeat":1,"unitno":true}\n', "string field"),
        (b'{"heartbeat":1,"unitno":[1]}\n', "string field"),
        (b'{"heartbeat":1,"unitno":{}}\n', "string field"),
        (b'{"heartbeat":1,"unitno":{"a":1}}\n', "repeated"),
        (b'{"heartbeat":1,"unitno":"\\ud800"}\n', "string field"),
        (b'\xef\xbb\xbf{"heartbeat":1}\n', "strict"),
        (b'{"heartbeat":1}\n{"heartb', "strict"),
        (b'{"heartbeat":1}\n5\n', "strict"),
        (b'{"heartbeat":1}\x00\n', "strict"),
        (b'{"heartbeat":1,"unitno":"\xff"}\n', "strict"),
    ],
)
def test_what_cannot_be_proven_is_refused(text: bytes, why: str | None) -> None:
    if why is None:
        assert read(text).height == 1
        return
    with pytest.raises(RefusedByFastPath, match=why):
        read(text)


def test_a_null_beside_values_of_other_lines_is_read() -> None:
    sent = b'{"heartbeat":1,"ear":1}\n{"heartbeat":2,"ear":null}\n{"heartbeat":3,"ear":3}\n'
    assert read(sent)["ear"].to_list() == [1, None, 3]


def test_an_unknown_key_and_a_missing_one_do_not_cancel() -> None:
    """Keys a line times lines would accept this."""
    with pytest.raises(RefusedByFastPath, match="unknown"):
        read(b'{"heartbeat":1,"ear":1}\n{"heartbeat":2,"other":1}\n')


_NAMES = st.sampled_from(["ear", "mar", "uptime", "unitno", "operatorid", "strange", "Ear"])
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.text(max_size=8),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.none()),
)


@given(
    st.lists(st.dictionaries(_NAMES, _VALUES, max_size=5), min_size=1, max_size=4),
    st.sampled_from([(",", ":"), (", ", ": "), (",", " : ")]),
)
def test_nothing_is_dropped_silently(
    lines: list[dict[str, object]], separators: tuple[str, str]
) -> None:
    """Whatever passes the proof comes out as it went in, value by value."""
    sent = [{"heartbeat": 1767225600, **line} for line in lines]
    text = "\n".join(json.dumps(line, separators=separators) for line in sent).encode()
    try:
        frame = read(text)
    except RefusedByFastPath:
        return
    for line, row in zip(sent, frame.iter_rows(named=True), strict=True):
        for name, value in line.items():
            if name == "heartbeat" or value is None:
                continue
            assert name in row, f"{name} was dropped"
            got = row[name]
            if isinstance(got, str) and isinstance(value, int | float):
                got = float(got)  # a number in a text field is that number's text
            assert got == value, (name, value, got)


def test_unpack_refuses_everything_but_one_whole_member() -> None:
    whole = gzip.compress(b"hello\n" * 1000)
    assert unpack.unpack(whole, 10**6) == b"hello\n" * 1000
    wrong_crc = whole[:-8] + bytes(4) + whole[-4:]
    refused = {
        whole[:-9]: "torn",
        whole[:20] + bytes(3): "gzip",
        wrong_crc: "gzip",
        whole + whole: "several",
        whole + b"junk" + whole[-8:]: "gzip",  # ends as it should
        whole + bytes(9) + whole[-4:]: "gzip",
        b"hello": "not gzip",
        b"": "empty",
        b"\x1f\x8b": "torn|gzip",
    }
    for packed, why in refused.items():
        with pytest.raises(RefusedByFastPath, match=why):
            unpack.unpack(packed, 10**6)


def test_a_bomb_is_refused() -> None:
    with pytest.raises(RefusedByFastPath, match="too large"):
        unpack.unpack(gzip.compress(bytes(20_000)), 10_000)
    lying = gzip.compress(bytes(20_000))[:-4] + (9_000).to_bytes(4, "little")
    with pytest.raises(RefusedByFastPath):
        unpack.unpack(lying, 10_000)
