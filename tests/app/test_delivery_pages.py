"""Data delivery and Ingestion: down to the raw file and its bad lines, and reading it again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from sqlalchemy import insert, select, update
from streamlit.testing.v1 import AppTest

from app import access, data, state
from app.text import say
from pipeline.localtime import path_hour
from pipeline.settings import Settings
from pipeline.storage import people, requests
from pipeline.storage import tables as t
from pipeline.storage.ledger import Ledger
from pipeline.storage.parquet import partition_path
from pipeline.storage.sql import step
from tests.app.fabricate import DISTRICT, MISSING, fabricate
from tests.app.test_pages import HOSTILE, open_page, texts

PAGE = "data_delivery"
NASTY = b"<script>alert(1)</script> \x1b[31m \xe2\x80\xaegnp \xff\x00 [x](javascript:y)"


@pytest.fixture
def start(filled: Settings) -> datetime:
    """First of the six fabricated hours."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=6)


def key_of(settings: Settings, start: datetime, unit: str = "DT-101", i: int = 0) -> str:
    hour = path_hour(start + timedelta(hours=i), settings.zone_of(DISTRICT))
    return f"{DISTRICT}/dev-{unit}/{hour}/{hour}.txt.gz"


def quarantine(
    settings: Settings, ledger: Ledger, key: str, lines: list[tuple[int, str, bytes]]
) -> None:
    """Publish bad lines of a raw file, and count them."""
    hour = key.split("/")[2]
    day = f"{hour[:4]}-{hour[4:6]}-{hour[6:8]}"
    path = partition_path("quarantine", "quarantine", day, DISTRICT, f"f{hour}-q0.parquet")
    target = settings.lake_root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    names = ("line", "reason", "bytes")
    frame = pl.DataFrame(lines, schema=list(names), orient="row").with_columns(
        pl.lit(1, pl.Int64).alias("_src"), pl.lit(key).alias("key"), pl.col("line").cast(pl.Int32)
    )
    frame.select("_src", "key", *names).write_parquet(target)
    with ledger.write() as connection:
        row = {"claim_id": "q", "layer": "quarantine", "dataset": "quarantine", "path": path}
        row |= {"hiveperiod": day, "dstrct_code": DISTRICT, "rows": len(lines), "bytes": 1}
        values = {"committed_at": 1, "version": step(connection, "data"), "units": "[]"}
        connection.execute(insert(t.data_files).values(**row, **values))
        o = t.raw_objects.c
        connection.execute(
            update(t.raw_objects)
            .where(o.key == key)
            .values(quarantined=len(lines), accepted=3600 - len(lines))
        )


def opened(script: str, identity: str, key: str) -> AppTest:
    app = AppTest.from_file(script, default_timeout=120)
    app.session_state[state.SIGNED_IN] = True
    app.session_state[state.IDENTITY] = identity
    app.session_state[state.CELL] = "/".join(key.split("/")[:3])
    app.run()
    return app.switch_page(str(access.BY_NAME[PAGE].path)).run()


def frames(app: AppTest) -> list[pl.DataFrame]:
    return [pl.from_pandas(table.value) for table in app.dataframe]


def test_behind_a_cell_stand_its_file_and_its_bad_lines(
    filled: Settings, ledger: Ledger, script: str, start: datetime
) -> None:
    key = key_of(filled, start)
    quarantine(filled, ledger, key, [(7, "json", NASTY), (9, "clock", b"{}")])
    app = opened(script, "admin#1", key)
    assert not app.exception
    assert "DT\\-101" in texts(app)
    versions, lines = frames(app)[:2]
    row = versions.row(0, named=True)
    assert (row["Key"], row["Lines"], row["Accepted"], row["Quarantined"]) == (key, 3600, 3598, 2)
    assert lines["Line"].to_list() == [7, 9]
    shown = lines["Content, escaped"][0]
    assert shown == (
        r"<script>alert(1)</script> \x1b[31m \xe2\x80\xaegnp \xff\x00 [x](javascript:y)"
    )
    assert shown.isascii()
    assert say("reread.file") in [button.label for button in app.button]
    app.run()
    with ledger.read() as connection:  # once a session: who looked at raw lines, and at which
        a = t.audit.c
        looked = connection.execute(select(a.who, a.subject).where(a.what == "raw lines seen"))
        assert [tuple(row) for row in looked] == [("admin", key)]


def test_a_link_opens_an_hour_that_is_neither_drawn_nor_listed(
    filled: Settings, script: str, start: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.figures.delivery.SHOWN", 1)  # the one with the missing hour
    key = key_of(filled, start)
    app = opened(script, "fleet_manager#1", key)
    assert not app.exception
    assert frames(app)[0]["Key"].to_list() == [key]
    # Neither one of other days than those chosen, nor what is no hour at all.
    for hour in ("2020010100", "20261399", "x"):
        app = opened(script, "fleet_manager#1", f"{DISTRICT}/dev-DT-101/{hour}/{hour}.txt.gz")
        assert not app.exception
        assert say("delivery.close") not in [button.label for button in app.button]


def test_who_may_not_act_sees_counts_and_no_line(
    filled: Settings, ledger: Ledger, script: str, start: datetime
) -> None:
    key = key_of(filled, start)
    quarantine(filled, ledger, key, [(7, "json", NASTY)])
    app = opened(script, "fleet_manager#1", key)
    assert not app.exception
    assert frames(app)[0]["Quarantined"].to_list() == [1]
    assert not any("Content, escaped" in frame.columns for frame in frames(app))
    assert say("reread.file") not in [button.label for button in app.button]


def test_a_missing_cell_says_why(filled: Settings, script: str, start: datetime) -> None:
    device, i = MISSING
    app = opened(script, "admin#1", key_of(filled, start, device.removeprefix("dev-"), i))
    assert say("delivery.cell.nothing") in texts(app)
    assert say("cause.unknown") in texts(app)


def test_a_cell_of_another_district_is_not_there(
    filled: Settings, ledger: Ledger, script: str, start: datetime
) -> None:
    people.add_user(ledger, "far", "Far", "admin", "correct-horse-battery", ["OTHR"])
    app = opened(script, "far#1", key_of(filled, start))
    assert not app.exception
    assert DISTRICT not in texts(app)
    assert not app.dataframe


def test_read_again_is_planned_confirmed_and_audited(
    filled: Settings, ledger: Ledger, script: str, start: datetime
) -> None:
    key = key_of(filled, start)
    raw = filled.raw_root / key
    raw.parent.mkdir(parents=True)
    raw.write_bytes(b"x")
    app = opened(script, "admin#1", key)
    next(b for b in app.button if b.label == say("reread.file")).click().run()
    assert "Files 1 · rows 3,600" in texts(app)
    # Nobody works in this home, and that is said before anything is asked for.
    assert say("reread.no_worker") in [part.value for part in app.warning]
    with ledger.read() as connection:
        assert connection.execute(select(t.requests)).all() == []
    next(b for b in app.button if b.label == say("reread.confirm")).click().run()
    assert not app.exception
    with ledger.read() as connection:
        row = connection.execute(select(t.requests)).one()
        audited = connection.execute(
            select(t.audit).where(t.audit.c.what.startswith("reingest"))
        ).one()
    assert (row.kind, row.who, row.state) == ("reread", "admin", "asked")
    assert json.loads(row.detail)["key"] == key
    assert (audited.who, audited.what, audited.subject) == ("admin", "reingest asked", f"key {key}")


def selection(**words: Any) -> Any:
    from pipeline.reingest import Selection

    return Selection(**words)


@pytest.mark.parametrize(
    ("role", "districts", "words"),
    [
        ("fleet_manager", [], {"key": f"{DISTRICT}/d/h/h.txt.gz"}),
        ("admin", ["OTHR"], {"key": f"{DISTRICT}/d/h/h.txt.gz"}),
        ("admin", ["OTHR"], {"district": DISTRICT}),
        ("admin", ["OTHR"], {"device": "dev-DT-101"}),
        ("admin", ["OTHR"], {"stale_rules": True}),
    ],
)
def test_reading_again_is_refused_beyond_role_and_district(
    filled: Settings,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    districts: list[str],
    words: dict[str, Any],
) -> None:
    user = people.add_user(ledger, "who", "Who", role, "correct-horse-battery", districts)
    monkeypatch.setattr("app.auth.current", lambda house: user)
    with pytest.raises(access.Refused):
        data.delivery.reread_plan(PAGE, selection(**words))
    with pytest.raises(access.Refused):
        data.delivery.read_again(PAGE, selection(**words), None)  # type: ignore[arg-type]
    with pytest.raises(access.Refused):
        data.delivery.cancel(PAGE, 1)
    if role != "admin":
        with pytest.raises(access.Refused):
            data.delivery.bad_lines(PAGE, None)  # type: ignore[arg-type]


def test_a_cell_of_another_district_is_refused_to_who_asks_for_it_by_name(
    filled: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = people.add_user(ledger, "who", "Who", "admin", "correct-horse-battery", ["OTHR"])
    monkeypatch.setattr("app.auth.current", lambda house: user)
    with pytest.raises(access.Refused):
        data.delivery.versions(DISTRICT, "dev-DT-101", "2026013107")


def test_requests_are_shown_and_cancelled(home: Settings, ledger: Ledger, script: str) -> None:
    with ledger.write() as connection:
        detail = {"device": HOSTILE[0], "planned": {"files": 4}}
        number = requests.ask(connection, "reread", "admin", detail)
        request = requests.Request(number, "reread", "admin", "asked", detail, {})
        portion = {"done": 1, "failed": 0, "gone": 0, "portion": ["a"]}
        requests.go_on(connection, request, "w", portion)
        requests.ask(connection, "build", HOSTILE[2])
    app = open_page(script, "ingestion", "admin#1")
    assert not app.exception
    assert say("requests.no_worker", waiting=1) in [part.value for part in app.warning]
    # Of four files one was read before, and one in this portion does not wait any more.
    progress = [part.proto.text for part in app.get("progress")]
    assert any(say("requests.files", done=2, files=4) in text for text in progress)
    # The name of who asked is shown as it is.
    assert "\\[a\\]\\(javascript\\:x\\)" in texts(app)
    buttons = [b for b in app.button if b.label == say("requests.cancel")]
    assert len(buttons) == 2
    buttons[-1].click().run()
    with ledger.read() as connection:
        states = connection.execute(select(t.requests.c.state).order_by(t.requests.c.id)).all()
    assert [row.state for row in states] == ["cancelled", "asked"]


def test_quarantine_by_reason_and_device_page_by_page(
    filled: Settings, ledger: Ledger, script: str, start: datetime
) -> None:
    many = [(i, "json", b'{"a":') for i in range(1, 71)]
    quarantine(filled, ledger, key_of(filled, start, i=1), many)
    quarantine(filled, ledger, key_of(filled, start, "DT-103", 2), [(3, "clock", NASTY)])
    app = open_page(script, "ingestion", "admin#1")
    assert say("quarantine.shown", first=1, last=50, total=71) in texts(app)
    reason = next(box for box in app.selectbox if box.label == say("quarantine.reason"))
    assert reason.options == ["All", "json (70)", "clock (1)"]
    reason.select("json").run()
    page = next(n for n in app.number_input if n.label == say("quarantine.page", pages=2))
    page.set_value(2).run()
    assert say("quarantine.shown", first=51, last=70, total=70) in texts(app)
    device = next(box for box in app.selectbox if box.label == say("column.device"))
    assert device.options == ["All", "dev-DT-101"]
    lines = next(f for f in frames(app) if "Content, escaped" in f.columns)
    assert lines["Line"].to_list() == list(range(51, 71))


def test_older_rules_are_counted_and_read_again(
    home: Settings, ledger: Ledger, script: str
) -> None:
    fabricate(home, ledger, hours=3, units=("DT-101",))
    with ledger.write() as connection:
        k = t.raw_objects.c
        first = connection.execute(select(k.key).order_by(k.key).limit(1)).scalar_one()
        connection.execute(update(t.raw_objects).where(k.key == first).values(rules_version=0))
    raw = home.raw_root / first
    raw.parent.mkdir(parents=True)
    raw.write_bytes(b"x")
    app = open_page(script, "ingestion", "admin#1")
    assert say("ingestion.rules.of", rules=0, files=1) in texts(app)
    by = next(g for g in app.get("button_group") if g.label == say("reread.by"))
    by.set_value("rules").run()
    next(b for b in app.button if b.label == say("reread.dry_run")).click().run()
    assert "Files 1 · rows 3,600" in texts(app)
    next(b for b in app.button if b.label == say("reread.confirm")).click().run()
    assert not app.exception
    with ledger.read() as connection:
        detail = json.loads(connection.execute(select(t.requests.c.detail)).scalar_one())
    assert detail["stale_rules"] is True


def test_a_dry_run_of_nothing_asks_for_more(home: Settings, script: str) -> None:
    app = open_page(script, "ingestion", "admin#1")
    next(b for b in app.button if b.label == say("reread.dry_run")).click().run()
    assert say("reread.choose") in [part.value for part in app.warning]
    field = next(f for f in app.text_input if f.label == say("reread.key"))
    field.set_value(HOSTILE[0])
    next(b for b in app.button if b.label == say("reread.dry_run")).click().run()
    assert not app.exception
    assert any("\\<script\\>" in part.value for part in app.warning)
