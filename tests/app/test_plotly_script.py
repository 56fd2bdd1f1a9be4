"""What Streamlit's script of charts is told to set up."""

from __future__ import annotations

import re

import plotly.graph_objects as go
import pytest

from app import plotly_script
from app.assets import STATIC
from app.drawing import Drawn

(WHOLE,) = (path.read_text() for path in (STATIC / "static/js").glob("PlotlyChart.*.js"))
DEFINED = re.compile(r'(?:,|var )([\w$]+)=[\w$]+\(\{"([^"]+)"\(')


def test_what_is_left_out_is_what_nothing_left_calls() -> None:
    lean = plotly_script.lean(WHOLE)
    assert lean is not None
    before = dict(DEFINED.findall(WHOLE))
    after = dict(DEFINED.findall(lean))
    assert after.items() <= before.items()
    called = set(re.findall(r"(?<![\w$.])([\w$]+)\(\)", lean))
    assert called & before.keys() == called & after.keys()
    # Its core, its two kinds, and what a bar or a heatmap is drawn by; and none of the rest.
    kept, gone = set(after.values()), set(before.values()) - set(after.values())
    assert {"lib/core.js", "src/traces/scatter/plot.js", "src/traces/bar/plot.js"} <= kept
    assert {"lib/heatmap.js", "src/traces/heatmap/plot.js", "src/components/fx/hover.js"} <= kept
    assert {"lib/scatter3d.js", "lib/pie.js", "src/traces/sankey/render.js"} <= gone
    assert plotly_script.REGISTERED.findall(lean) == []


def test_a_module_with_something_after_it_stays() -> None:
    script = (
        'start();var v=1,aa=_({"lib/bar.js"(e){dd()}}),bb=_({"lib/heatmap.js"(e){}})'
        ',cc=_({"lib/pie.js"(e){}}),dd=_({"src/dd.js"(e){}}),ee=_({"src/ee.js"(e){}}),f=()=>1'
        ',ii=_({"src/ii.js"(e){}});function k(){}var ll=w({"src/ll.js"(){}})'
        ',gg=w({"src/gg.js"(e){}}),hh=_({"lib/index.js"(e,t){var n={};n.register(['
        + "cc()," * 9
        + "aa(),bb(),cc()]),t.exports=n}});hh()"
    )
    lean = plotly_script.lean(script)
    assert lean is not None
    assert dict(DEFINED.findall(lean)).keys() == {"aa", "bb", "dd", "ee", "gg", "hh", "ii", "ll"}
    assert ".register([aa(),bb()])" in lean


@pytest.mark.parametrize(
    ("was", "now"),
    [('"lib/bar.js"', '"lib/bars.js"'), (".register([", ".enlist(["), ("", "")],
    ids=["a kind is not found", "the list is not found", "no script at all"],
)
def test_a_script_that_is_built_otherwise_is_left_alone(was: str, now: str) -> None:
    script = WHOLE.replace(was, now) if was else ""
    assert plotly_script.lean(script) is None


def test_a_chart_that_no_browser_could_draw_is_refused() -> None:
    Drawn(go.Figure([go.Scatter(y=[1]), go.Bar(y=[1]), go.Heatmap(z=[[1]])]))
    with pytest.raises(ValueError, match=r"\['scattergl'\].*ADDED"):
        Drawn(go.Figure(go.Scattergl(y=[1])))
