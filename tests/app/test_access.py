"""Who may see and do what, by the table itself: role × page × scope, data functions, routes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import polars as pl
import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from app import access, data, docs, identity, signals, state
from app.backend import backend
from app.data import asking, privacy
from app.data.upload import Upload
from app.filters import Filters
from app.looks import TIME, Look
from app.spans import Span
from app.text import say
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage import people
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.people import ROLES, User
from queries import run
from tests.app import fabricate as fabricated
from tests.app.conftest import PASSWORD
from tests.app.test_pages import open_page

FAR = "OTHR"
FAR_UNITS = ("ZZ-901", "ZZ-902")
#: Whatever of the one district must not be seen from the other.
NEAR_NAMES = re.compile(rb"MLKB|DT-10\d|WT-201")
FAR_NAMES = re.compile(rb"OTHR|ZZ-90\d")


@pytest.fixture
def two_districts(filled: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The usual lake, another district beside it, and people bound to either."""
    monkeypatch.setattr(fabricated, "DISTRICT", FAR)
    monkeypatch.setattr(fabricated, "MISSING", ("none", 0))
    earlier = datetime.now(UTC) - timedelta(hours=10)
    fabricated.fabricate(filled, ledger, hours=3, units=FAR_UNITS, now=earlier)
    for role in ROLES:
        for name, district in (("near", "MLKB"), ("far", FAR)):
            people.add_user(ledger, f"{name}-{role}", name, role, PASSWORD, [district])
    return filled


def drawn(app: AppTest) -> bytes:
    """Everything that was sent to the browser, tables and charts included."""
    parts: list[bytes] = []

    def walk(block: Any) -> None:
        for child in getattr(block, "children", {}).values():
            proto = getattr(child, "proto", None)
            if proto is not None and hasattr(proto, "SerializeToString"):
                parts.append(proto.SerializeToString())
            walk(child)

    walk(app._tree)
    return b"\n".join(parts)


def test_the_walk_sees_tables_and_charts(filled: Settings, script: str) -> None:
    """Else the tests below could not fail."""
    assert NEAR_NAMES.search(drawn(open_page(script, "fleet_health", "admin#1")))
    assert NEAR_NAMES.search(drawn(open_page(script, "devices", "admin#1")))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("place", ["near", "far"])
def test_every_page_for_a_person_bound_to_a_district(
    two_districts: Settings, ledger: Ledger, script: str, role: str, place: str
) -> None:
    """Their own district, or the refusal; of the other district not even a name."""
    user = people.find(ledger, f"{place}-{role}")
    own, other = (NEAR_NAMES, FAR_NAMES) if place == "near" else (FAR_NAMES, NEAR_NAMES)
    app = open_page(script, "home", f"{user.username}#1")
    for page in access.PAGES:
        if page is not access.HOME:
            app.switch_page(str(page.path)).run()
        assert not app.exception, page.name
        sent = drawn(app)
        assert not other.search(sent), page.name
        if access.opens(user, page.name):
            assert app.header[0].value == say(f"{page.name}.title")
        else:
            assert say("access.refused") in [info.value for info in app.info], page.name
            assert not app.header
            assert not app.metric
            assert not own.search(sent), page.name


def test_what_is_about_the_whole_system_is_for_nobody_who_is_bound() -> None:
    everything = User("a", "A", access.ADMIN, (), False, 1, "")
    bound = User("a", "A", access.ADMIN, ("MLKB",), False, 1, "")
    assert all(access.opens(everything, page.name) for page in access.PAGES)
    assert all(access.may(everything, action) for action in access.ACTIONS)
    for page in access.PAGES:
        assert access.opens(bound, page.name) != page.whole
    for name, action in access.ACTIONS.items():
        assert access.may(bound, name) != action.whole


@pytest.mark.parametrize("unit", ["ZZ-901", "DT-101"])
def test_a_unit_of_another_district_is_as_unknown_as_one_that_is_not(
    two_districts: Settings, script: str, unit: str
) -> None:
    place = "near" if unit.startswith("ZZ") else "far"

    def ask(name: str) -> bytes:
        app = AppTest.from_file(script, default_timeout=120)
        app.session_state[state.SIGNED_IN] = True
        app.session_state[state.IDENTITY] = f"{place}-{access.FLEET_MANAGER}#1"
        app.run()
        app.switch_page(str(access.BY_NAME["engine_telemetry"].path))
        app.query_params[state.UNIT] = name
        app.query_params[state.DISTRICT] = FAR if place == "near" else "MLKB"
        app.run()
        assert not app.exception
        sent = drawn(app)
        assert unit.encode() not in sent
        return re.sub(rb"\d\d:\d\d", b"", sent)

    assert len(ask(unit)) == len(ask("QQ-999"))


# Data functions: each asks for somebody, and what they may.


def functions() -> dict[str, Callable[..., Any]]:
    found = {}
    for module in (vars(data)[name] for name in data.__all__):
        if inspect.ismodule(module):
            for name, value in vars(module).items():
                own = inspect.isfunction(value) and value.__module__ == module.__name__
                if own and not name.startswith("_"):
                    found[f"{module.__name__}.{name}"] = value
    return found


FUNCTIONS = functions()
DAY = "2026-01-31"
ARGUMENTS: dict[str, Any] = {
    "filters": Filters((), DAY, DAY, "Asia/Makassar"),
    "page": access.HOME.name,
    "case": {
        **{"case_id": "c1", "hiveperiod": DAY, "dstrct_code": "MLKB", "unitno": "DT-101"},
        **{"started_at": datetime.now(UTC), "ended_at": None, "deviceid": "d"},
    },
    "start": datetime.now(UTC),
    "upload": Upload("x.csv", b"deviceid,unitno,unittype,dstrct_code,valid_from\n"),
    "case_id": "c1",
    "shift": (DAY, 1),
    "since": datetime.now(UTC),
}
#: The same by type, where a name means different things.
BY_TYPE: dict[str, Any] = {
    "Look": Look(("DT-101",), ("MLKB",), ("dump",), ("EngineSpeed",), TIME),
    "Span": Span(datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    "tuple[datetime, datetime]": (
        datetime(2026, 1, 31, tzinfo=UTC),
        datetime(2026, 2, 1, tzinfo=UTC),
    ),
}
#: Of spans and shifts alone: they reckon, and tell nothing of any unit.
RECKONING = {"app.data.engine.newest_days", "app.data.engine.whole", "app.data.fatigue.shift_times"}


def call(function: Callable[..., Any]) -> None:
    wanted = inspect.signature(function).parameters.values()
    function(
        **{
            one.name: BY_TYPE.get(one.annotation, ARGUMENTS.get(one.name, MagicMock()))
            for one in wanted
        }
    )


def asking_as(user: User | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking.auth, "current", lambda _: user)


def test_no_data_for_nobody(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asking_as(None, monkeypatch)
    assert len(FUNCTIONS) > 20
    answered = []
    for name, function in FUNCTIONS.items():
        try:
            call(function)
        except access.Refused:
            continue
        except (TypeError, ValueError):
            pass  # it went on with what stands for an argument
        answered.append(name)
    assert set(answered) == RECKONING


ADMINISTRATION = [
    name
    for name in FUNCTIONS
    if access.BY_NAME.get(name.split(".")[-2], access.HOME).section == access.ADMINISTRATION
]
READERS = {"register", "unregistered", "log", "covered"}


def test_administration_is_for_administrators(
    home: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(ADMINISTRATION) > 12
    others = [User(role, role, role, (), False, 1, "") for role in ROLES if role != access.ADMIN]
    bound = User("b", "B", access.ADMIN, ("MLKB",), False, 1, "")
    for name in ADMINISTRATION:
        for user in (*others, *([] if name.rpartition(".")[2] in READERS else [bound])):
            asking_as(user, monkeypatch)
            with pytest.raises(access.Refused):
                assert call(FUNCTIONS[name]) is None, name
    with ledger.read() as connection:
        done = connection.execute(select(t.audit.c.what).distinct()).scalars().all()
    assert list(done) == ["user added"]


# Privacy.


def as_role(ledger: Ledger, role: str) -> User:
    return people.find(ledger, role)


def test_fleet_managers_get_counts_of_cases(
    filled: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = datetime.now(UTC)
    first, last = ((day + timedelta(days=d)).date().isoformat() for d in (-2, 1))
    filters = Filters((), first, last, "Asia/Makassar")
    answers = {}
    for role in ROLES:
        asking_as(as_role(ledger, role), monkeypatch)
        answers[role] = data.fatigue.cases("home", filters)
    cut, whole = answers[access.FLEET_MANAGER], answers[access.SUPERVISOR]
    assert cut.schema == whole.schema
    assert sorted(cut["kind"]) == sorted(whole["kind"]) == ["drowsy", "microsleep"]
    assert sorted(cut["unitno"]) == ["1", "2"]
    hidden = cut.drop("unitno", *access.COUNTED & set(cut.columns))
    assert hidden.width > 8
    assert hidden.null_count().row(0) == (2,) * hidden.width
    assert set(whole["unitno"]) == {"DT-101", "WT-201"}
    assert answers[access.ADMIN].equals(whole)


EYES = ["ear", "eyeclosedfrac_mean", "dmsalarm", "fatiguelevel_max"]


@pytest.mark.parametrize("column", EYES)
def test_eyes_are_for_those_who_look_after_the_tired(
    home: Settings, ledger: Ledger, column: str
) -> None:
    query = run.load("engine_seconds")
    for role in ROLES:
        user = as_role(ledger, role)
        if access.may(user, "see eyes"):
            privacy.check(user, query, [(column,)])
        else:
            with pytest.raises(access.Refused):
                privacy.check(user, query, [("VehicleSpeed", column)])
        privacy.check(user, query, [("VehicleSpeed",)])
        assert privacy.exportable(user, ["ts", column]) == (role == access.ADMIN)
    assert set(access.EYES) >= {"ear", "clipid", "fatiguelevel", "headyaw"}
    assert "camcabinstatus" not in access.EYES


def test_signals_offered_are_those_one_may_see(filled: Settings, script: str) -> None:
    app = open_page(script, "engine_telemetry", f"{access.FLEET_MANAGER}#1")
    offered = app.multiselect(key=state.SIGNALS).options
    assert signals.label("EngineSpeed") in offered
    assert not {signals.label(name) for name in access.EYES} & set(offered)


def test_an_operator_comes_only_with_an_open_case(home: Settings, ledger: Ledger) -> None:
    answer = pl.DataFrame({"case_id": ["c1"], "operatorid": ["op-7"]})
    admin = as_role(ledger, access.ADMIN)
    assert privacy.cut(admin, run.load("fatigue_cases"), answer)["operatorid"][0] is None
    opened = privacy.cut(admin, run.load("fatigue_case_operator"), answer)
    assert opened["operatorid"][0] == "op-7"
    manager = as_role(ledger, access.FLEET_MANAGER)
    with pytest.raises(access.Refused):
        privacy.check(manager, run.load("fatigue_case_operator"), [])


def test_every_query_that_tells_of_operators_is_in_the_table() -> None:
    for path in (Path(run.__file__).parent / "sql").glob("*.sql"):
        header = "\n".join(re.findall(r"^--.*", path.read_text(), re.M))
        columns = re.split(r"\.\s", header.partition("-- columns:")[2] + "\n")[0]
        told = re.sub(r"\([^)]*\)", "", columns)
        if access.OPERATOR & set(re.findall(r"\w+", told)):
            assert path.stem in access.OF_AN_OPEN_CASE, path.name
        # Who counts operators leaves groups that are too small to whom the table names, or out.
        if "operators" in privacy.named(run.load(path.stem), ()):
            own = f"operators >= {access.SMALLEST_GROUP}" in path.read_text()
            assert own != (path.stem in access.GROUPED), path.name


def test_small_groups_are_withheld(
    home: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "GROUPED", frozenset({"units"}))
    answer = pl.DataFrame({"hour": [1, 2, 3], "operators": [4, 5, None], "share": [0.1, 0.2, 0.3]})
    cut = privacy.cut(as_role(ledger, access.ADMIN), run.load("units"), answer)
    assert cut["hour"].to_list() == [2]


# Routes.


def test_every_route_of_ours_is_in_the_table(home: Settings) -> None:
    from app.server import app

    paths = {route.path for route in app._user_routes}
    assert paths == set(access.ROUTES)
    assert docs.ROUTE in access.ROUTES
    nobody = User("x", "X", "a role of tomorrow", (), False, 1, "")
    for path, roles in access.ROUTES.items():
        assert access.may_ask(nobody, path) == (roles is None)
    assert not access.may_ask(User("x", "X", access.ADMIN, (), False, 1, ""), "/not/listed")


# What administrators do.


def test_an_import_is_all_or_nothing_and_audited(
    home: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking_as(as_role(ledger, access.ADMIN), monkeypatch)
    head = b"deviceid,unitno,unittype,dstrct_code,valid_from,valid_to\n"
    bad = head + b"d1,u1,dump,MLKB,2026-01-01,\nd2,u2,boat,MLKB,2026-01-01,\n"
    result = data.devices.take_in(Upload("../../etc/passwd", bad))
    assert (result.imported, len(result.errors)) == (0, 1)
    assert result.errors[0].startswith("line 3: unittype 'boat'")
    assert data.devices.register().is_empty()
    good = head + b"d1,u1,dump,MLKB,2026-01-01,\nd2,u2,bus,OTHR,2026-01-01,\n"
    assert data.devices.take_in(Upload("../fleet.csv", good)).imported == 2
    data.devices.set_validity("d1", "2026-01-01", "2026-02-01")
    assert data.devices.register()["valid_to"].to_list() == ["2026-02-01", None]
    with pytest.raises(UsageError, match="before"):
        data.devices.set_validity("d1", "2026-01-01", "2025-02-01")
    with pytest.raises(UsageError, match="column unitno") as caught:
        data.devices.take_in(Upload("x.csv", b"deviceid\n"))
    assert "upload-" not in str(caught.value)
    assert not list(home.scratch.glob("upload-*"))
    found = data.audit.entries(MagicMock(**SINCE)).head(2).to_dicts()
    assert [(e["what"], e["subject"]) for e in found] == [
        ("device validity", "d1"),
        ("devices imported", "fleet.csv"),
    ]
    assert (found[0]["before"], found[0]["after"]) == (None, "2026-02-01")
    assert '"new": 2' in found[1]["rest"]
    bound = User("b", "B", access.ADMIN, (FAR,), False, 1, "")
    asking_as(bound, monkeypatch)
    assert data.devices.register()["deviceid"].to_list() == ["d2"]


SINCE = {
    "start": datetime(2020, 1, 1, tzinfo=UTC),
    "end": datetime(2100, 1, 1, tzinfo=UTC),
    "who": None,
    "what": None,
    "text": "",
}


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == say(label)).click().run()


def test_thresholds_are_changed_with_a_reason(home: Settings, script: str, ledger: Ledger) -> None:
    app = open_page(script, "thresholds", "admin#1")
    app.selectbox(key="threshold").set_value("mean_s").run()
    app.number_input[0].set_value(2.5)
    press(app, "thresholds.change")
    assert "say why" in app.error[0].value
    app.number_input[0].set_value(2.5)
    app.text_input[0].set_value("new cameras")
    press(app, "thresholds.change")
    assert not app.exception
    assert app.success[0].value == say("thresholds.changed")
    with ledger.read() as connection:
        row = connection.execute(select(t.thresholds)).one()
        entry = connection.execute(select(t.audit).order_by(t.audit.c.id.desc())).first()
    assert (row.name, row.value, row.set_by, row.reason) == (
        *("mean_s", 2.5, "admin"),
        "new cameras",
    )
    assert entry is not None
    assert (entry.who, entry.detail) == (
        "admin",
        '{"before": 2, "after": 2.5, "reason": "new cameras"}',
    )


def test_users_are_added_changed_and_shut_out(
    home: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking_as(as_role(ledger, access.ADMIN), monkeypatch)
    data.users.add("budi", "", access.SUPERVISOR, PASSWORD, ["MLKB"])
    data.users.set_role("budi", access.FLEET_MANAGER)
    data.users.set_districts("budi", [FAR, "MLKB"])
    data.users.set_disabled("budi", disabled=True)
    budi = people.find(ledger, "budi")
    assert (budi.role, budi.districts, budi.disabled) == (
        *(access.FLEET_MANAGER, ("MLKB", FAR)),
        True,
    )
    data.users.set_disabled("budi", disabled=False)
    assert not people.find(ledger, "budi").disabled
    for change in (
        lambda: data.users.set_role("admin", access.SUPERVISOR),
        lambda: data.users.set_districts("ADMIN ", ["MLKB"]),
        lambda: data.users.set_disabled("admin", disabled=True),
    ):
        with pytest.raises(UsageError, match="their own rights"):
            change()
    entries = data.audit.entries(MagicMock(**{**SINCE, "text": "budi"}))
    assert [(e["what"], e["before"], e["after"]) for e in entries.to_dicts()][:4] == [
        ("user enabled", "disabled", "enabled"),
        ("user disabled", "enabled", "disabled"),
        ("districts set", '["MLKB"]', '["MLKB", "OTHR"]'),
        ("role set", "supervisor", "fleet_manager"),
    ]


def test_the_audit_can_be_taken_away_but_not_unseen(
    home: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = as_role(ledger, access.ADMIN)
    asking_as(admin, monkeypatch)
    export = data.audit.exporter(MagicMock(**SINCE))
    asking_as(None, monkeypatch)  # the click comes without a session
    assert export().height == 3
    assert export()["what"][0] == "audit exported"
    people.disable(ledger, admin.username)
    with pytest.raises(access.Refused):
        export()


def test_nobody_is_signed_in_by_what_a_session_says_alone(home: Settings) -> None:
    assert identity.user_of(backend(), "admin#1") is not None
    for claim in ("admin#0", "admin", "", None, "ADMIN#1", "admin#1 "):
        assert identity.user_of(backend(), claim) is None


@pytest.mark.parametrize(
    "panel", ["ingestion.requests", "ingestion.runs", "fatigue_shift.contacts"]
)
def test_what_draws_itself_anew_asks_again_who_looks(
    home: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, panel: str
) -> None:
    """It runs without the router: somebody who was shut out would go on seeing it."""
    module, _, name = panel.partition(".")
    draw = inspect.unwrap(getattr(import_module(f"app.panels.{module}"), name))
    ways: dict[str, tuple[Any, ...]] = {
        "requests": ("ingestion", "UTC"),
        "runs": ("ingestion", "UTC"),
        "contacts": (pl.DataFrame(), pl.DataFrame(), (), "UTC"),
    }

    class SentAway(Exception):
        pass

    monkeypatch.setattr("app.auth.current", lambda house: None)
    monkeypatch.setattr("streamlit.rerun", MagicMock(side_effect=SentAway))
    with pytest.raises(SentAway):
        draw(*ways[name])
