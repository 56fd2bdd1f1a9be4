"""Streamlit's script of charts, told to set up what our charts are made of and nothing else.

Before the first chart it sets up all that Plotly can draw, 47 modules: maps, three dimensions,
WebGL, calendars. That takes the page's thread longer than all of our own page does (decision 027).
"""

from __future__ import annotations

import re

import plotly.graph_objects as go

#: Beside scatter, which Plotly's core sets up.
ADDED = ("bar", "heatmap")
KINDS = frozenset({"scatter", *ADDED})
NAME = re.compile(r"PlotlyChart\.[\w-]+\.js")
#: In ``lib/index.js`` of Plotly's bundle: ``n.register([Iu(),hee(),…]),t.exports=n``.
REGISTERED = re.compile(
    r"(?<=\.register\(\[)(?:[\w$]+\(\),){9,}[\w$]+\(\)(?=\]\),[\w$]+\.exports=)"
)


def lean(script: str) -> str | None:
    """The script with ``KINDS`` alone; None where it is not built as the one known here."""
    wanted = [re.search(rf'([\w$]+)=[\w$]+\(\{{"lib/{kind}\.js"\(', script) for kind in ADDED]
    calls = [f"{one[1]}()" for one in wanted if one]
    lists = REGISTERED.findall(script)
    if len(lists) != 1 or not set(calls) <= set(lists[0].split(",")) or len(calls) < len(ADDED):
        return None
    return REGISTERED.sub(lambda _: ",".join(calls), script)


def check(figure: go.Figure) -> None:
    """Raises ValueError for a chart that a browser could not draw with this script."""
    unknown = {trace.type for trace in figure.data} - KINDS
    if unknown:
        raise ValueError(f"traces of {sorted(unknown)}: add them to app.plotly_script.ADDED")
