"""Charts as they are sent, kept by what they are drawn from.

Drawing takes longer than all else that a page does, and most clicks draw what was drawn before: for
somebody else, in another view, or before a commit that changed other things. A chart is a function
of its arguments and of the language, so these are its key, every byte of them: whoever gets a kept
chart has just been given the very data that it shows.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import threading
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np
import plotly.graph_objects as go
from plotly.basedatatypes import BaseFigure

from app import plotly_script
from app.text import language

P = ParamSpec("P")

#: Characters of all charts that are kept: those of a few hundred views.
MOST_CHARACTERS = 48_000_000

#: Of numbers in charts.
DECIMALS = 5


class Drawn(BaseFigure):  # type: ignore[misc]
    """A finished figure. Streamlit takes it for one of Plotly's and gets it as it is: without the
    checks and copies of every property that Plotly makes of its own.

    Streamlit hands each chart to Plotly twice. The second time Plotly draws nothing where it can
    tell that nothing has changed: by a revision of the data, of lists alone and not of arrays, and
    in a layout without a template, for it takes each of these for another one.

    Raises:
        ValueError: It has a trace of a kind that is not in ``app.plotly_script.KINDS``.
    """

    def __init__(self, figure: go.Figure) -> None:
        plotly_script.check(figure)
        spec = figure.to_json()
        self._size = len(spec)
        self._finished: dict[str, Any] = _listed(json.loads(spec))
        self._finished["layout"].pop("template", None)
        self._finished["layout"]["datarevision"] = hashlib.sha256(spec.encode()).hexdigest()
        self._blank = not any(_has_values(trace) for trace in figure.data)

    @property
    def blank(self) -> bool:
        """True when no trace has a value along y."""
        return self._blank

    @property
    def size(self) -> int:
        """Characters of its JSON."""
        return self._size

    def to_dict(self) -> dict[str, Any]:
        """Data and layout of nothing but JSON's own types; not to be changed."""
        return self._finished


def _listed(value: Any) -> Any:
    """The same with packed arrays of numbers as lists."""
    if isinstance(value, dict):
        if "bdata" in value:
            return _numbers(**value)
        return {key: _listed(one) for key, one in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_listed(one) for one in value]
    return value


def _numbers(dtype: str, bdata: str, shape: str = "-1") -> list[Any]:
    """Numbers of a packed array, None for NaN; nobody sees a sixth decimal."""
    packed = np.frombuffer(b64decode(bdata), dtype)
    known = np.isfinite(packed)
    held = np.where(known, packed, 0)
    whole = bool(np.all(held % 1 == 0))
    numbers = held.astype(np.int64) if whole else held.astype(np.float64).round(DECIMALS)
    objects = numbers.astype(object)
    objects[~known] = None
    listed: list[Any] = objects.reshape([int(side) for side in shape.split(",")]).tolist()
    return listed


def _has_values(trace: Any) -> bool:
    values = getattr(trace, "y", None)
    return values is not None and len(values) > 0


class Kept:
    """Finished charts, those asked for last; to be shared by threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._charts: OrderedDict[bytes, Drawn] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> Drawn | None:
        """The chart of that key, which is the newest from now on."""
        with self._lock:
            if key in self._charts:
                self._charts.move_to_end(key)
            return self._charts.get(key)

    def put(self, key: bytes, chart: Drawn) -> None:
        """Keep a chart; the oldest go where there is no room."""
        with self._lock:
            if key not in self._charts:
                self._charts[key] = chart
                self._size += chart.size
            while self._size > self._most:
                self._size -= self._charts.popitem(last=False)[1].size


_kept = Kept(MOST_CHARACTERS)


def once(chart: Callable[P, go.Figure], *args: P.args, **more: P.kwargs) -> Drawn:
    """The chart that a function of ``app.charts`` draws of these arguments, drawn once.

    Raises:
        ValueError: It has a trace of a kind that is not in ``app.plotly_script.KINDS``.
    """
    about = (chart.__module__, chart.__qualname__, language(), args, more)
    key = hashlib.sha256(pickle.dumps(about)).digest()
    found = _kept.get(key)
    if found is None:
        found = Drawn(chart(*args, **more))
        _kept.put(key, found)
    return found
