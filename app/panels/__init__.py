"""What pages are put together from; pieces of one page alone in a module of their own."""

from app.panels import administration, engine, fatigue, home, setup
from app.panels.frame import account, foot, frame, header, menu, sign_in_frame
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
from app.panels.trouble import lake_state, ledger_away, present, run

__all__ = [
    "account",
    "administration",
    "chart",
    "dark",
    "download",
    "empty",
    "engine",
    "fatigue",
    "foot",
    "frame",
    "header",
    "home",
    "lake_state",
    "ledger_away",
    "link",
    "menu",
    "note",
    "pick",
    "present",
    "run",
    "section",
    "section_of",
    "setup",
    "sign_in_frame",
    "table",
    "table_or",
    "tiles",
]
