"""What Streamlit's script of charts is told to set up."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from app import plotly_script
from app.assets import STATIC
from app.drawing import Drawn

(WHOLE,) = (path.read_text() for path in (STATIC / "static/js").glob("PlotlyChart.*.js"))


def test_two_kinds_are_left_of_all_in_the_list() -> None:
    lean = plotly_script.lean(WHOLE)
    assert lean is not None
    assert len(plotly_script.REGISTERED.findall(WHOLE)) == 1
    assert plotly_script.REGISTERED.findall(lean) == []


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
