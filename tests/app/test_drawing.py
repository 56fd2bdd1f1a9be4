"""Charts are sent as Plotly would have sent them, and drawn once."""

from __future__ import annotations

import ast
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io
import plotly.tools
import polars as pl
import pytest

from app import charts, drawing, text
from app.charts.palette import base, clocks
from app.text import say


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> drawing.Kept:
    """Nothing is kept from another test."""
    nothing = drawing.Kept(100_000)
    monkeypatch.setattr(drawing, "_kept", nothing)
    return nothing


def chart(frame: pl.DataFrame, dark: bool) -> go.Figure:
    figure = go.Figure()
    figure.add_scatter(x=clocks(frame["at"]), y=frame["y"].to_numpy(), name=say("home.title"))
    figure.add_bar(x=frame["at"].to_list(), y=frame["y"].to_list(), text="</script> ä")
    return base(figure, dark, 200)


FRAME = pl.DataFrame({"at": [datetime(2026, 1, 1), datetime(2026, 1, 2)], "y": [1.5, None]})


@pytest.mark.usefixtures("kept")
def test_a_kept_chart_is_sent_as_plotly_would_have_sent_it() -> None:
    sent = []
    for _ in range(2):  # drawn, then kept; sending must not change it
        drawn = drawing.once(chart, FRAME, dark=True)
        given = plotly.tools.return_figure_from_figure_or_data(drawn, validate_figure=True)
        sent.append(json.loads(plotly.io.to_json(given, validate=False)))
    expected = json.loads(chart(FRAME, dark=True).to_json())
    # What lets Plotly tell that nothing has changed: no template, a revision, and numbers in lists.
    expected["layout"].pop("template")
    revision = sent[0]["layout"].pop("datarevision")
    assert sent[1]["layout"].pop("datarevision") == revision
    assert "bdata" in expected["data"][0]["x"]
    expected["data"][0]["x"] = [1767225600000, 1767312000000]
    expected["data"][0]["y"] = [1.5, None]
    assert sent == [expected, expected]


def test_other_data_have_another_revision() -> None:
    others = FRAME.with_columns(pl.col("y") + 1)
    revisions = [
        drawing.Drawn(chart(frame, dark=True)).to_dict()["layout"]["datarevision"]
        for frame in (FRAME, FRAME.clone(), others)
    ]
    assert revisions[0] == revisions[1] != revisions[2]


@pytest.mark.parametrize(
    ("given", "listed"),
    [
        (np.array([1.0, np.nan, -3.0]), [1, None, -3]),
        (np.array([0.1234567, np.inf]), [0.12346, None]),
        (np.array([[1.5, 2], [3, np.nan]]), [[1.5, 2.0], [3.0, None]]),
        (np.array([7, 300], np.int32), [7, 300]),
        (np.array([], np.float64), []),
    ],
)
def test_numbers_are_sent_as_lists(given: Any, listed: list[Any]) -> None:
    (trace,) = drawing.Drawn(go.Figure().add_heatmap(z=given)).to_dict()["data"]
    assert trace["z"] == listed


@pytest.mark.usefixtures("kept")
def test_the_same_data_is_drawn_once_and_other_data_anew() -> None:
    first = drawing.once(chart, FRAME, False)
    assert drawing.once(chart, FRAME.clone(), False) is first
    longer = pl.concat([FRAME] * 20_000)
    last = longer.with_columns(
        pl.when(pl.int_range(pl.len()) == pl.len() - 1)
        .then(pl.lit(2.5))
        .otherwise(pl.col("y"))
        .alias("y")
    )
    others = [
        drawing.once(chart, FRAME, True),
        drawing.once(chart, FRAME.with_columns(pl.col("y") + 1), False),
        drawing.once(chart, FRAME.rename({"y": "z"}).with_columns(y=pl.col("z")), False),
        drawing.once(chart, longer, False),
        drawing.once(chart, last, False),  # no sample of its rows: the last of many
    ]
    assert len({id(one) for one in [first, *others]}) == 6


@pytest.mark.usefixtures("kept")
def test_each_language_has_its_own() -> None:
    shown = {}
    try:
        for language in ("en", "id"):
            text.speak(language)
            shown[language] = drawing.once(chart, FRAME, False).to_dict()
    finally:
        text.speak(text.USUAL)
    assert shown["en"]["data"][0]["name"] == text.EN["home.title"]
    assert shown["id"]["data"][0]["name"] == text.ID["home.title"]
    assert (shown["en"]["layout"]["separators"], shown["id"]["layout"]["separators"]) == (
        ".,",
        ",.",
    )


def test_the_oldest_go_where_there_is_no_room() -> None:
    a, b, c = (drawing.Drawn(go.Figure(layout={"height": h})) for h in (100, 200, 300))
    assert a.size == b.size == c.size
    kept = drawing.Kept(2 * a.size)
    for key, one in ((b"a", a), (b"b", b)):
        kept.put(key, one)
    assert kept.get(b"a") is a  # asked for last: b is the oldest now
    kept.put(b"c", c)
    assert (kept.get(b"a"), kept.get(b"b"), kept.get(b"c")) == (a, None, c)
    kept.put(b"c", c)  # twice by two sessions at once: counted once
    assert kept.get(b"a") is a


def test_a_chart_without_values_says_so() -> None:
    empty = go.Figure().add_bar(x=[], y=[])
    assert drawing.Drawn(empty).blank
    assert drawing.Drawn(go.Figure()).blank
    assert not drawing.Drawn(empty.add_bar(x=["a"], y=[0])).blank


def test_charts_look_at_no_clock_and_at_nothing_of_a_session() -> None:
    """What they read beside their arguments would be kept with them."""
    for path in sorted(Path(charts.__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert called.isdisjoint({"now", "today", "utcnow", "monotonic", "session_state"}), path
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        modules |= {
            name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for name in node.names
        }
        aside = {"app.backend", "app.state", "app.data", "app.shift", "pipeline.settings", "time"}
        assert modules.isdisjoint(aside), path
