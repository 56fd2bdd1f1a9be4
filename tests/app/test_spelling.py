"""Numbers of tables, sentences and the handover in Bahasa Indonesia; values stay values."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from app import figures, handover, state
from app.tables import spelling
from app.text import say, speak
from pipeline.settings import Settings
from pipeline.storage.ledger import Ledger
from tests.app.fabricate_fatigue import watched
from tests.app.test_fatigue_figures import DAY, DRIVEN, NOW, WATCH, ZONE, case, queue
from tests.app.test_fatigue_page import opened
from tests.app.test_pages import texts


@pytest.fixture
def indonesian() -> Iterator[None]:
    speak("id")
    yield
    speak("en")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5, "1.234,5"),
        (12_000_000, "12.000.000"),
        (0.25, "0,25"),
        (100, "100"),
        (-1234.56789, "-1.234,5679"),
        (1e-9, "0"),
    ],
)
def test_a_number_of_a_table(indonesian: None, value: float, text: str) -> None:
    assert spelling.number(value) == text


def test_only_the_writing_changes(indonesian: None) -> None:
    known_by = say("column.number")
    frame = pl.DataFrame(
        {
            "u": ["1234.5", None],
            "n": [1234.5, None],
            "p": [99.94, 5.0],
            "b": [True, None],
            known_by: [1234, 5],  # names a request
        }
    )
    styled = spelling.written(frame, ["p"])
    assert styled.data["n"].to_list()[0] == 1234.5
    body = styled._translate(False, False)["body"]
    cells = [[cell["display_value"] for cell in row] for row in body]
    assert [row[1:] for row in cells] == [
        ["1234.5", "1.234,5", "99,9 %", True, "1234"],
        ["", "", "5,0 %", "", "5"],
    ]


def test_what_needs_no_writing_is_left_as_it_is(indonesian: None) -> None:
    frame = pl.DataFrame({"n": [1.5]})
    large = pl.DataFrame({"n": [1.5] * (spelling.MOST_CELLS + 1)})
    for one in (frame.clear(), large):
        assert spelling.written(one) is one
    speak("en")
    assert spelling.written(frame) is frame


def test_the_page_writes_as_it_speaks(home: Settings, ledger: Ledger, script: str) -> None:
    watched(home, ledger)
    english, indonesian = (
        opened(script, view="now", **{state.LANGUAGE: language}) for language in ("en", "id")
    )
    speak("id")
    metres, closure = say("column.metres"), say("column.closure")
    table = indonesian.dataframe[0]
    shown = display(table)
    rows = dict(zip(table.value[metres].to_list(), shown[closure], strict=True))
    assert rows[31.0] == "3,6"
    speak("en")
    assert english.dataframe[0].value[say("column.closure")].to_list()[-1] == 3.6
    assert not english.dataframe[0].proto.arrow_data.HasField("styler")
    app = opened(script, view="patterns", **{state.LANGUAGE: "id"})
    speak("id")
    assert f"{say('fatigue.rate.km')} |" in texts(app)
    assert "1.000 km" in say("fatigue.rate.km")  # written so by hand, and not turned around
    speak("en")


def display(table: Any) -> pl.DataFrame:
    """What a table shows, as text."""
    reader = pa.ipc.open_stream(io.BytesIO(table.proto.arrow_data.styler.display_values))
    frame = pl.from_arrow(reader.read_all())
    assert isinstance(frame, pl.DataFrame)
    return frame


def test_sentences_and_the_handover(indonesian: None) -> None:
    exposure = {"moving_s": 4_444_200.0, "blind_moving_s": 3600.0, "no_data_s": 5400.0}
    seen = figures.fatigue.watched(exposure)
    assert seen == {"seen": "1.233,5", "blind": "1,0", "none": "1,5"}
    queued = queue(case("a", unitno="1,234.5", metres_closed=1234.0))
    found = handover.Handover(
        *(DAY, 1, (), ZONE, NOW, queued, WATCH), notes={"a": "0.5"}, driven=DRIVEN
    )
    page = handover.html(found)
    assert "50,0 % · 1,0 / 2,0 h" in page
    assert "<td>1.234</td>" in page
    assert "<td>1,234.5</td>" in page  # a name from outside stays
    assert "<td>0.5</td>" in page  # and so does what somebody wrote
    assert "<td>3,0</td>" in page
    assert "<td>1,5 / 100</td>" in page
