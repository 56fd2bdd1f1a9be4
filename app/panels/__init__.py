"""What pages are put together from; pieces of one page alone in a module of their own."""

from app.panels import fatigue, fleet
from app.panels.frame import account, foot, frame, header, lake_state, refusal, run, sign_in_frame
from app.panels.pieces import (
    LONG_ROWS,
    LONG_TABLE,
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
    tile,
    tiles,
)

__all__ = [
    "LONG_ROWS",
    "LONG_TABLE",
    "account",
    "chart",
    "dark",
    "download",
    "empty",
    "fatigue",
    "fleet",
    "foot",
    "frame",
    "header",
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
    "tile",
    "tiles",
]
