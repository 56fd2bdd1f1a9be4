"""What pages are put together from; pieces of one page alone in a module of their own."""

from app.panels import delivery, fatigue, ingestion
from app.panels.frame import account, foot, frame, header, lake_state, refusal, run, sign_in_frame
from app.panels.pieces import (
    chart,
    dark,
    download,
    empty,
    link,
    note,
    pick,
    section,
    section_of,
    table,
    table_or,
    tiles,
)

__all__ = [
    "account",
    "chart",
    "dark",
    "delivery",
    "download",
    "empty",
    "fatigue",
    "foot",
    "frame",
    "header",
    "ingestion",
    "lake_state",
    "link",
    "note",
    "pick",
    "refusal",
    "run",
    "section",
    "section_of",
    "sign_in_frame",
    "table",
    "table_or",
    "tiles",
]
