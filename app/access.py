"""Who may see and do what: one table. Roles appear nowhere else in the app.

A role opens pages and takes actions; a person bound to districts sees those alone, and nothing that
is about the whole system. What tells of persons has rules of its own, as data: ``app/data/privacy``
applies them to every answer. The router, every data function and every HTTP route ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline import fields
from pipeline.storage.people import ROLES, User

PAGES_FOLDER = Path(__file__).parent.parent / "pages"

SUPERVISOR, FLEET_MANAGER, ADMIN = ROLES
EVERYBODY = frozenset(ROLES)
ADMINS = frozenset({ADMIN})
#: Those who look after tired people.
CARERS = frozenset({SUPERVISOR, ADMIN})

#: Sections of the menu.
OPERATIONS, ADMINISTRATION = "operations", "administration"


class Refused(Exception):
    """The asker may not see or do this (any more)."""


@dataclass(frozen=True)
class Page:
    """A page's file (its name is its address), its icon and the roles that may open it.

    ``whole``: it is about the whole system, so not for a person bound to districts.
    """

    name: str
    icon: str
    roles: frozenset[str]
    section: str = OPERATIONS
    whole: bool = False

    @property
    def path(self) -> Path:
        """Absolute path of the script."""
        return PAGES_FOLDER / f"{self.name}.py"


PAGES: tuple[Page, ...] = (
    Page("home", ":material/dashboard:", EVERYBODY),
    Page("fatigue_events", ":material/visibility:", CARERS),
    Page("fleet_health", ":material/local_shipping:", EVERYBODY),
    Page("engine_telemetry", ":material/monitor_heart:", frozenset({FLEET_MANAGER, ADMIN})),
    Page("data_delivery", ":material/cell_tower:", frozenset({FLEET_MANAGER, ADMIN})),
    Page("ingestion", ":material/settings_suggest:", ADMINS, ADMINISTRATION, whole=True),
    Page("devices", ":material/memory:", ADMINS, ADMINISTRATION),
    Page("downtime", ":material/build_circle:", ADMINS, ADMINISTRATION),
    Page("thresholds", ":material/tune:", ADMINS, ADMINISTRATION, whole=True),
    Page("users", ":material/group:", ADMINS, ADMINISTRATION, whole=True),
    Page("audit", ":material/history:", ADMINS, ADMINISTRATION, whole=True),
)

HOME = PAGES[0]
BY_NAME = {page.name: page for page in PAGES}


@dataclass(frozen=True)
class Action:
    """Something one can do or see beyond opening a page. ``whole``: as of a page."""

    roles: frozenset[str]
    whole: bool = False


ACTIONS: dict[str, Action] = {
    "see cases": Action(CARERS),
    "see operator": Action(CARERS),
    "see eyes": Action(CARERS),
    "review cases": Action(CARERS),
    "try thresholds": Action(ADMINS),
    "export eyes": Action(ADMINS),
    "change devices": Action(ADMINS, whole=True),
    "change downtime": Action(ADMINS, whole=True),
    "change thresholds": Action(ADMINS, whole=True),
    "change users": Action(ADMINS, whole=True),
    "export audit": Action(ADMINS, whole=True),
    # Start and cancel work; see raw lines, which hold everything a device wrote, eyes too.
    "run work": Action(ADMINS),
    "see raw lines": Action(ADMINS),
}

#: Whoever may do one of these may send files to the server.
UPLOADS = ("change devices", "change downtime")

#: Our HTTP routes by the roles that may ask; None: machines too, for they tell no name.
ROUTES: dict[str, frozenset[str] | None] = {
    "/healthz": None,
    "/readyz": None,
    "/metrics": None,
    "/docs": EVERYBODY,
    "/docs/{name:path}": EVERYBODY,
}

#: Marts that tell of persons. Whoever may not "see cases" gets of a list over them only how many,
#: of what kind, where and when by the day; units become mere numbers.
PERSONAL = frozenset(
    {"fatigue_case", "fatigue_episode", "fatigue_evidence", "operator_shift", "eye_hour"}
)
COUNTED = frozenset({"dstrct_code", "hiveperiod", "kind", "severity"})
#: Columns that make an answer a list instead of a sum.
LISTING = frozenset({"case_id", "unitno", "deviceid", "operatorid"})

#: Columns with an operator's identity, and the only queries that may bring it: of an open case,
#: whose opening is audited.
OPERATOR = frozenset({"operatorid", "operator"})
OF_AN_OPEN_CASE = frozenset({"fatigue_case_operator"})

#: Answers with a column ``operators`` keep only rows of so many, in these queries.
SMALLEST_GROUP = 5
GROUPED: frozenset[str] = frozenset()

#: What the cabin camera sees of a driver, by the second or the minute: only for "see eyes".
EYES = frozenset(field.name for field in fields.FIELDS if field.group == "driver")
_KINDS = ("", "_mean", "_min", "_max")
EYE_COLUMNS = frozenset(name + kind for name in EYES for kind in _KINDS)


def may_open(role: str, page: str) -> bool:
    """True when the role is listed for the page."""
    return page in BY_NAME and role in BY_NAME[page].roles


def opens(user: User, page: str) -> bool:
    """True when this person may open the page: their role, and their districts."""
    return may_open(user.role, page) and not (BY_NAME[page].whole and user.districts)


def may(user: User, action: str) -> bool:
    """True when this person may do it. Raises KeyError for what is no action."""
    found = ACTIONS[action]
    return user.role in found.roles and not (found.whole and user.districts)


def may_ask(user: User, route: str) -> bool:
    """True when this person may ask the route; a route that is not listed is nobody's."""
    roles = ROUTES.get(route, frozenset())
    return roles is None or user.role in roles


def allowed_districts(own: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Districts that a person bound to ``own`` (empty: all) gets when they ask for ``wanted``.

    Empty means all again, so somebody who may see none of the wanted gets their own.
    """
    if not own:
        return wanted
    return tuple(sorted(set(own) & set(wanted))) or own


def covers(user: User, district: str) -> bool:
    """True when the district is one of theirs."""
    return not user.districts or district in user.districts
