"""Streamlit's script of charts with what our charts are made of and nothing else.

Before the first chart it sets up all that Plotly can draw, 47 modules: maps, three dimensions,
WebGL, calendars. That takes the page's thread longer than all of our own page does (decision 027).
"""

from __future__ import annotations

import re
from itertools import pairwise

import plotly.graph_objects as go

#: Beside scatter, which Plotly's core sets up. (Other calendars than ours are left out, too.)
ADDED = ("bar", "heatmap")
KINDS = frozenset({"scatter", *ADDED})
NAME = re.compile(r"PlotlyChart\.[\w-]+\.js")
#: In ``lib/index.js`` of Plotly's bundle: ``n.register([Iu(),hee(),…]),t.exports=n``.
REGISTERED = re.compile(
    r"(?<=\.register\(\[)(?:[\w$]+\(\),){9,}[\w$]+\(\)(?=\]\),[\w$]+\.exports=)"
)
#: A module of the bundle, which runs when its name is called: ``,Iu=_({"lib/bar.js"(e,t){…}})``.
#: (After a space it begins a declaration: ``var he=…``.)
MODULE = r'(?P<lead>[, ])(?P<name>[\w$]+)=(?P<wrap>[\w$]+)\(\{"PATH"\('
CALLED = re.compile(r"(?<![\w$.])([\w$]+)\(\)")


def lean(script: str) -> str | None:
    """The script with ``KINDS`` alone; None where it is not built as the one known here."""
    wanted = [re.search(MODULE.replace("PATH", rf"lib/{kind}\.js"), script) for kind in ADDED]
    found = [one for one in wanted if one]
    calls = [f"{one['name']}()" for one in found]
    lists = REGISTERED.findall(script)
    if len(lists) != 1 or not set(calls) <= set(lists[0].split(",")) or len(calls) < len(ADDED):
        return None
    return _reached(REGISTERED.sub(lambda _: ",".join(calls), script), found[0]["wrap"])


def _reached(script: str, wrap: str) -> str:
    """Without the modules that nothing left in the script calls.

    From a comma before one module to the start of the next lies that module alone, if it ends as
    one does; with anything more in between it stays.
    """
    modules = re.compile(MODULE.replace("PATH", '[^"]+')).finditer(script)
    starts = [(one.start(), one["name"], one["lead"] + one["wrap"]) for one in modules]
    pieces = [("", script[: starts[0][0]])]  # without a name is what stays
    for (start, name, wrapped), (end, _, _) in pairwise([*starts, (len(script), "", "")]):
        alone = wrapped == "," + wrap and script.endswith("}})", start, end)
        pieces.append((name if alone else "", script[start:end]))
    uncalled = {name: text for name, text in pieces if name}
    waiting = [text for name, text in pieces if not name]
    while waiting:
        for name in uncalled.keys() & set(CALLED.findall(waiting.pop())):
            waiting.append(uncalled.pop(name))
    return "".join(text for name, text in pieces if name not in uncalled)


def check(figure: go.Figure) -> None:
    """Raises ValueError for a chart that a browser could not draw with this script."""
    unknown = {trace.type for trace in figure.data} - KINDS
    if unknown:
        raise ValueError(f"traces of {sorted(unknown)}: add them to app.plotly_script.ADDED")
