"""Who may see what: one table, pages by roles. Roles appear nowhere else in the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.storage.people import ROLES

PAGES_FOLDER = Path(__file__).parent.parent / "pages"

SUPERVISOR, FLEET_MANAGER, ADMIN = ROLES
EVERYBODY = frozenset(ROLES)


class Refused(Exception):
    """The asker may not see this (any more)."""


@dataclass(frozen=True)
class Page:
    """A page's file (its name is its address), its icon and the roles that may open it."""

    name: str
    icon: str
    roles: frozenset[str]

    @property
    def path(self) -> Path:
        """Absolute path of the script."""
        return PAGES_FOLDER / f"{self.name}.py"


PAGES: tuple[Page, ...] = (
    Page("home", ":material/dashboard:", EVERYBODY),
    Page("fatigue_events", ":material/visibility:", frozenset({SUPERVISOR, ADMIN})),
    Page("fleet_health", ":material/local_shipping:", EVERYBODY),
    Page("engine_telemetry", ":material/monitor_heart:", frozenset({FLEET_MANAGER, ADMIN})),
    Page("data_delivery", ":material/cell_tower:", frozenset({FLEET_MANAGER, ADMIN})),
    Page("ingestion", ":material/settings_suggest:", frozenset({ADMIN})),
)

HOME = PAGES[0]
BY_NAME = {page.name: page for page in PAGES}


def may_open(role: str, page: str) -> bool:
    """True when the role is listed for the page."""
    return page in BY_NAME and role in BY_NAME[page].roles


def allowed_districts(own: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Districts that a person bound to ``own`` (empty: all) gets when they ask for ``wanted``.

    Empty means all again, so somebody who may see none of the wanted gets their own.
    """
    if not own:
        return wanted
    return tuple(sorted(set(own) & set(wanted))) or own


#: What is more than looking, by who may: start and cancel work; see raw lines, which hold
#: everything a device wrote, eyes and operators too.
RUN_WORK, RAW_LINES = "run_work", "raw_lines"
ACTIONS = {RUN_WORK: frozenset({ADMIN}), RAW_LINES: frozenset({ADMIN})}


def may_do(role: str, action: str) -> bool:
    """True when the role is listed for the action."""
    return role in ACTIONS.get(action, frozenset())
