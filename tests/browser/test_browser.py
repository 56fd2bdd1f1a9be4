"""The app as people meet it: sign-in, pages by menu and by address, figures against the truth."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from playwright.sync_api import Browser

from app.access import BY_NAME, OPERATIONS, PAGES, may_open
from app.text import say
from pipeline.settings import load
from pipeline.storage.people import ROLES
from tests.browser.accessibility import AXE, findings
from tests.browser.conftest import LONGEST, Demo, Server, Visit, serving, wait_until, watch
from tests.servers import alive
from tests.simulator.recount import recount

pytestmark = pytest.mark.browser

Start = Callable[..., Visit]
ADDRESSES = [page.name for page in PAGES]


def only_sign_in(visit: Visit) -> None:
    visit.page.get_by_label("User name").wait_for()
    # The form arrives field by field, and what was there before it goes with the run's end.
    visit.page.get_by_label("Password", exact=True).wait_for()
    visit._settled()
    assert visit.page.get_by_test_id("stMetric").count() == 0
    assert visit.page.get_by_test_id("stSidebarNav").count() == 0
    text = visit.page.inner_text("body")
    assert not any(say(f"{name}.title") in text for name in ADDRESSES)
    assert "MLKB" not in text


def test_first_thing_after_start_every_address_shows_only_the_form(
    demo_home: Demo, browser: Browser
) -> None:
    with serving(demo_home.home, "--no-worker") as fresh:
        context = browser.new_context()
        visits = [Visit(context.new_page(), fresh.url) for _ in ADDRESSES]
        for visit, address in zip(visits, ADDRESSES, strict=True):
            watch(visit)
            # All at once: each is among the first requests that the new process sees.
            target = f"{fresh.url}/{'' if address == 'home' else address}"
            visit.page.goto(target, wait_until="commit")
        for visit in visits:
            only_sign_in(visit)
            assert not visit.complaints
        context.close()


@pytest.mark.parametrize(
    "address", ["data_delivery?from=2026-01-05&to=2026-01-06", "ingestion", "home"]
)
def test_an_address_survives_signing_in(server: Server, visit: Start, address: str) -> None:
    tab = visit(server)
    tab.open(address)
    only_sign_in(tab)
    tab.sign_in("admin")
    tab.heading(say(f"{address.partition('?')[0]}.title"))
    if "?" in address:
        tab.page.get_by_text("2026-01-05 to 2026-01-06").wait_for()
        assert "from=2026-01-05&to=2026-01-06" in tab.address


@pytest.mark.parametrize("role", ROLES)
def test_each_role_opens_its_pages_by_menu_and_by_address(
    server: Server, visit: Start, role: str
) -> None:
    tab = visit(server)
    tab.open("home")
    tab.sign_in(role)
    tab.heading(say("home.title"))
    for name in ADDRESSES:
        title = say(f"{name}.title")
        link = tab.page.get_by_test_id("stSidebarNav").get_by_role("link", name=title)
        assert link.count() == may_open(role, name), name
        if may_open(role, name):
            link.click()
            tab.heading(title)
            address = tab.address.partition("?")[0].rstrip("/")
            assert address.endswith(name if name != "home" else server.url)
    for name in ADDRESSES:
        tab.open(name)
        if may_open(role, name):
            tab.heading(say(f"{name}.title"))
            assert tab.page.get_by_test_id("stException").count() == 0
        else:
            tab.page.get_by_text(say("access.refused")).wait_for()
            tab._settled()
            assert tab.page.get_by_test_id("stMetric").count() == 0
            assert say(f"{name}.title") not in tab.page.inner_text("body")


def test_reload_sign_out_and_a_copied_cookie(
    server: Server, visit: Start, browser: Browser
) -> None:
    tab = visit(server)
    tab.open("fleet_health")
    tab.sign_in("supervisor", "not the password")
    tab.page.get_by_text(say("sign_in.wrong")).wait_for()
    tab.sign_in("supervisor")
    tab.heading(say("fleet_health.title"))
    tab.page.reload()
    tab.heading(say("fleet_health.title"))
    cookies = tab.page.context.cookies()
    assert [c["sameSite"] for c in cookies if c["name"] == "haulwatch"] == ["Strict"]
    tab.page.get_by_role("button", name=say("sign_out")).click()
    only_sign_in(tab)
    tab.page.reload()
    only_sign_in(tab)
    context = browser.new_context()
    context.add_cookies(cookies)  # type: ignore[arg-type]
    thief = Visit(context.new_page(), server.url)
    thief.open("fleet_health")
    only_sign_in(thief)
    context.close()


def test_filters_stay_when_the_page_changes(server: Server, visit: Start) -> None:
    tab = visit(server)
    tab.open("home?from=2026-01-05&to=2026-01-06")
    tab.sign_in("admin")
    tab.heading(say("home.title"))
    tab.page.get_by_role("link", name=say("fleet_health.title")).click()
    tab.heading(say("fleet_health.title"))
    tab.page.get_by_text("2026-01-05 to 2026-01-06").wait_for()
    assert "from=2026-01-05&to=2026-01-06" in tab.address


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def due(home: Path, now: datetime) -> tuple[int, int]:
    """Files and distinct seconds of the hours whose grace of two hours is over."""
    settings = load(home=home)

    def over(path: Path) -> bool:
        district, _, hour = path.parts[-4:-1]
        start = datetime.strptime(hour, "%Y%m%d%H").replace(
            tzinfo=ZoneInfo(settings.zone_of(district))
        )
        return start + timedelta(hours=3) <= now

    counted = recount(home / "raw", over)
    return counted.files, len(counted.seconds)


def test_headline_figures_are_the_truth(server: Server, visit: Start, demo_home: Demo) -> None:
    truth = demo_home.truth
    counted = recount(demo_home.home / "raw")
    files, rows = counted.files, len(counted.seconds)
    assert (files, rows) == (truth["files_delivered"], truth["distinct_rows"])
    tab = visit(server)
    before = due(demo_home.home, datetime.now(UTC))
    tab.open("data_delivery")
    tab.sign_in("admin")
    tab.heading(say("data_delivery.title"))
    tiles = tab.tiles()
    note = tiles[say("delivery.fulfilment")][1].partition(";")[0]
    delivered, _, expected = note.partition(" of ")
    sent = tiles[say("delivery.rows")][1].partition(" of ")[0]
    # While the page was opened another hour may have become due. A second that is in the files of
    # two hours counts for one of them, be it due or not.
    truths = dict([before, due(demo_home.home, datetime.now(UTC))])
    assert number(sent) == pytest.approx(truths[number(delivered)], rel=0.01)
    assert 0 < number(delivered) <= number(expected)
    hours = pl.read_parquet(demo_home.home / "truth" / "device_hours.parquet").height
    assert number(expected) <= hours
    tab.open("ingestion")
    tab.heading(say("ingestion.title"))
    tiles = tab.tiles()
    assert number(tiles[say("ingestion.files_in")][0]) == files
    assert number(tiles[say("ingestion.accepted")][1].partition(" of ")[2]) == truth["lines"]
    tab.open("fleet_health")
    tab.heading(say("fleet_health.title"))
    statuses = tab.tiles()
    assert sum(number(value) for value, _ in statuses.values()) == truth["units"]
    tab.open("fatigue_events")
    tab.heading(say("fatigue_events.title"))
    moving = tab.tiles()[say("fatigue.blind")][1].split(" of ")[1]
    states = pl.read_parquet(demo_home.home / "truth" / "states-*.parquet")
    moved = states.filter(pl.col("state") == "moving", pl.col("powered"))
    # What has not arrived by now is unknown, not moving: it depends on the minute of the hour.
    arrived = {(device, us // 10**6) for device, us in counted.seconds}
    seconds = sum(
        (device, int(ts.timestamp())) in arrived
        for device, ts in moved.select("deviceid", "ts").iter_rows()
    )
    shown = float(re.sub(r"[^\d.]", "", moving)) * 3600
    assert shown == pytest.approx(seconds, rel=0.05)


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [(1920, 1080, "dark"), (1366, 768, "light"), (820, 1180, "light")],
)
def test_every_page_at_every_size(
    server: Server, visit: Start, width: int, height: int, scheme: str
) -> None:
    tab = visit(server, width, height, scheme)
    tab.open("home")
    tab.sign_in("admin")
    serious: dict[str, list[str]] = {}
    for name in ADDRESSES:
        if name != "home":
            menu = tab.page.get_by_test_id("stSidebarNav")
            menu.get_by_role("link", name=say(f"{name}.title")).click()
        tab.heading(say(f"{name}.title"))
        # Four hours may pass without a fatigue case: then the page says what was watched instead.
        nothing = ", [data-testid='stAlertContentInfo']" if name == "fatigue_events" else ""
        drawn = BY_NAME[name].section == OPERATIONS or name == "ingestion"
        tab.page.wait_for_selector(
            f".js-plotly-plot .main-svg{nothing}" if drawn else "[data-testid=stMetric]"
        )
        # It never scrolls sideways; a chart has its width some time after it is there.
        tab.page.wait_for_function(
            "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        if AXE.exists() and width > 1000:  # light and dark; test_accessible says so where it is not
            serious[name] = findings(tab.page)
        content = tab.page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
        tab.page.set_viewport_size({"width": width, "height": max(height, content)})
        tab.page.wait_for_timeout(400)
        tab.shot(f"{name}-{width}x{height}-{scheme}")
        tab.page.set_viewport_size({"width": width, "height": height})
    assert not any(serious.values()), serious


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(number) for number in listed.split()]


def test_a_dropped_file_shows_within_a_minute(
    demo_home: Demo, visit: Start, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo_home.home, home)
    source = sorted((home / "raw").rglob("*.txt.gz"))[0]
    with serving(home) as running:
        wait_until(lambda: running.answer("/readyz")[0] == 200, LONGEST, "readyz")
        tab = visit(running)
        tab.open("ingestion")
        tab.sign_in("admin")
        tab.heading(say("ingestion.title"))
        before = number(tab.tiles()[say("ingestion.files_in")][0])
        new = home / "raw" / "MLKB" / "HW-DROPPED" / source.parent.name / source.name
        new.parent.mkdir(parents=True)
        rows = gzip.decompress(source.read_bytes())
        own = json.loads(rows.splitlines()[0])["deviceid"].encode()
        new.with_suffix(".part").write_bytes(gzip.compress(rows.replace(own, b"HW-DROPPED"), 1))
        new.with_suffix(".part").rename(new)
        # Nothing is clicked: the page finds out by itself.
        wait_until(
            lambda: number(tab.tiles()[say("ingestion.files_in")][0]) == before + 1, 60, "the file"
        )
        assert "haulwatch_worker_up 1.0" in running.answer("/metrics")[1]
        workers = children(running.process.pid)
        assert workers
        # An open page would complain that its server is gone.
        tab.page.goto("about:blank")
        running.stop()
        wait_until(lambda: not any(map(alive, workers)), LONGEST, "the worker is gone")


def test_the_worker_does_not_outlive_a_killed_server(demo_home: Demo, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo_home.home, home)
    with serving(home) as running:
        wait_until(lambda: running.answer("/readyz")[0] == 200, LONGEST, "readyz")
        worker = children(running.process.pid)[0]
        os.kill(worker, signal.SIGKILL)
        wait_until(
            lambda: any(pid != worker for pid in children(running.process.pid)),
            LONGEST,
            "another one",
        )
        workers = children(running.process.pid)
        running.stop(signal.SIGKILL)
        wait_until(lambda: not any(map(alive, workers)), LONGEST, "the worker is gone")
