"""The ASGI app: Streamlit's pages, a few routes of our own, and the worker beside them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

# pyarrow has crashed when it was first imported on a short-lived thread, and of two sessions that
# are the first to draw a chart one meets a pandas that is half there: all of them here, once.
import duckdb  # noqa: F401
import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401
import plotly.graph_objects as go  # noqa: F401
import polars as pl  # noqa: F401
import pyarrow as pa  # noqa: F401
import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from app import assets, docs, guard, health, lake_watch, logs, worker_process
from pipeline.settings import load


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """The worker lives as long as the server."""
    logs.begin(load())
    supervisor = worker_process.Supervisor()
    if worker_process.wanted():
        supervisor.start()
    watch = asyncio.create_task(lake_watch.keep())
    # What was imported stays: the collector, which holds up every session, need not look at it.
    gc.collect()
    gc.freeze()
    try:
        yield {"worker": supervisor}
    finally:
        watch.cancel()
        docs.maker.stop()
        await supervisor.stop()


app = st.App(
    Path(__file__).with_name("main.py").absolute(),
    lifespan=lifespan,
    routes=[
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
        Route("/docs", docs.answer),
        Route("/docs/{name:path}", docs.answer),
    ],
    middleware=[
        Middleware(guard.Guard, allowed=guard.hosts(load())),
        Middleware(assets.Packed),
    ],
)
