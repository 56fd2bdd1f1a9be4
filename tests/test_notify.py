"""Notices: told once, in one message, by one sender, and never in the way of the work."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from pipeline import notify
from pipeline.errors import SettingsError
from pipeline.notify import outbox, sender
from pipeline.notify.message import LINES, WIDTH, compose
from pipeline.notify.outbox import Notice
from pipeline.settings import Settings, load
from pipeline.storage import claims
from pipeline.storage import tables as t
from pipeline.storage.claims import MAX_ATTEMPTS
from pipeline.storage.ledger import Ledger, open_ledger
from tests.make import deliver

NOW = datetime(2026, 2, 2, tzinfo=UTC)
SECRET = "hunter2token"


class Hook:
    """A web hook of our own: what it got, what it answers, and a gate to hang behind."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.status = 200
        self.gate = threading.Event()
        self.gate.set()
        #: Somebody has asked.
        self.asked = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.asked.set()
                hook.gate.wait(120)
                hook.got.append(json.loads(body))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # whoever hung up did so on purpose

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.server.server_address[1]}/{SECRET}/"

    @property
    def texts(self) -> list[str]:
        return [f"{message['title']}\n{message['message']}" for message in self.got]

    def close(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    opened = Hook()
    yield opened
    opened.close()


@pytest.fixture
def well() -> Iterator[Hook]:
    """Another one, to which nothing happens."""
    opened = Hook()
    yield opened
    opened.close()


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def notifier(settings: Settings, ledger: Ledger, hook: Hook, log: list[str]) -> notify.Notifier:
    return notify.Notifier(telling(settings, hook.url), ledger, log.append)


def telling(settings: Settings, *urls: str, **more: Any) -> Settings:
    return load(home=settings.home, threads=1, notify=list(urls), **more)


def write(ledger: Ledger, what: Callable[..., None], *values: Any) -> None:
    with ledger.write() as connection:
        what(connection, *values)


def table(ledger: Ledger) -> dict[str, Any]:
    with ledger.read() as connection:
        return {row.topic: row for row in connection.execute(select(t.notices))}


def age(ledger: Ledger, hours: float) -> None:
    """Let time pass: move everything into the past."""
    n, by = t.notices.c, int(hours * 3_600_000_000)
    times = {column.name: column - by for column in (n.first_at, n.last_at, n.sent_at)}
    with ledger.write() as connection:
        connection.execute(update(t.notices).values(times))


def end_back_off(ledger: Ledger) -> float:
    """Let the next try be due now; returns for how many seconds it was put off."""
    with ledger.write() as connection:
        found = connection.execute(select(t.leases).where(t.leases.c.name == sender.LEASE)).one()
        connection.execute(update(t.leases).values(expires_at=0))
    return found.expires_at / 1e6 - time.time()


def arrive(ledger: Ledger, at: datetime, key: str = "a") -> None:
    moment = int(at.timestamp() * 1e6)
    row = {"key": key, "etag": "", "size": 1, "arrived_at": moment, "seen_at": moment}
    with ledger.write() as connection:
        connection.execute(t.raw_keys.insert().values(**row, state="done"))


# -- one message, once -----------------------------------------------------------------------------


def test_many_notices_are_one_message_that_arrives_once(
    ledger: Ledger, hook: Hook, notifier: notify.Notifier, log: list[str]
) -> None:
    write(ledger, notify.failed, "MLKB/HW-1/2026013107/2026013107.txt.gz", "it is no gzip")
    write(ledger, notify.partial, "MLKB/HW-2/2026013107/2026013107.txt.gz", "ends after 12 lines")
    write(ledger, notify.new_fields, ["TyrePressure", "tyreTemp"])
    write(ledger, notify.tests_failed, ["unique_shift: Got 3 results"])
    write(ledger, notify.fatigue_case, "c-1", "DT101", "3 long eye closures in 10 minutes")
    assert notifier.send() == 6
    assert notifier.send() == 0
    (text,) = hook.texts
    assert text.startswith("Haulwatch: 1 critical fatigue case, 1 failed data test, 1 failed file")
    for part in ("MLKB/HW-1/2026013107/2026013107.txt.gz failed: it is no gzip", "2 new fields"):
        assert part in text
    for part in ("HW-2", "ends after 12 lines", "TyrePressure", "unique_shift", "DT101"):
        assert part in text
    assert all(row.sent_at and row.error is None for row in table(ledger).values())
    assert log == []


def test_the_same_trouble_is_counted_and_told_again_after_the_repeat_time(
    ledger: Ledger, hook: Hook, notifier: notify.Notifier
) -> None:
    write(ledger, notify.failed, "k", "first reason")
    assert notifier.send() == 1
    write(ledger, notify.failed, "k", "second reason")
    assert notifier.send() == 0
    age(ledger, 23.5)
    assert notifier.send() == 0
    age(ledger, 1)
    assert notifier.send() == 1  # met since it was told, though not again after the repeat time
    assert "second reason" in hook.texts[1]
    assert "(2 times since" in hook.texts[1]
    age(ledger, 48)
    assert notifier.send() == 0  # not met again: nothing to tell
    assert len(hook.got) == 2


def test_what_waited_for_long_is_no_news(
    ledger: Ledger, hook: Hook, notifier: notify.Notifier
) -> None:
    write(ledger, notify.failed, "k", "reason")
    age(ledger, outbox.STALE / 3_600_000_000)
    assert notifier.send() == 0
    assert hook.got == []


def test_two_senders_send_one_message(settings: Settings, ledger: Ledger, hook: Hook) -> None:
    write(ledger, notify.failed, "k", "reason")
    other = open_ledger(settings)
    pair = [notify.Notifier(telling(settings, hook.url), where) for where in (ledger, other)]
    hook.gate.clear()
    for notifier in pair:
        notifier.step(NOW)
    time.sleep(0.3)
    hook.gate.set()
    for notifier in pair:
        notifier.close()
    assert len(hook.got) == 1
    other.close()


def test_a_topic_met_anew_while_it_is_sent_still_waits(
    ledger: Ledger, hook: Hook, notifier: notify.Notifier
) -> None:
    write(ledger, notify.failed, "k", "reason")
    hook.gate.clear()
    notifier.step(NOW)
    assert hook.asked.wait(60)
    write(ledger, notify.forget, ["failed/k"])
    write(ledger, notify.failed, "k", "another")
    hook.gate.set()
    notifier.close()
    assert table(ledger)["failed/k"].sent_at is None
    assert notifier.send() == 1


# -- never in the way ------------------------------------------------------------------------------


def test_a_server_that_is_down_is_tried_again_later_and_later(
    settings: Settings, ledger: Ledger, log: list[str], hook: Hook
) -> None:
    hook.status = 503
    notifier = notify.Notifier(telling(settings, hook.url), ledger, log.append)
    write(ledger, notify.failed, "k", "reason")
    waits = []
    for tries in (1, 2, 3):
        assert notifier.send() == 0
        assert notifier.send() == 0  # too early: nobody is asked
        assert len(hook.got) == tries
        row = table(ledger)["failed/k"]
        assert (row.sent_at, row.tries) == (None, tries)
        assert "HTTP 503" in row.error
        waits.append(round(end_back_off(ledger), -1))
    assert waits == [30, 60, 120]
    hook.status = 200
    assert notifier.send() == 1
    row = table(ledger)["failed/k"]
    assert (row.tries, row.error) == (0, None)
    assert len(log) == 3


def test_nobody_listens_and_the_worker_goes_on(
    settings: Settings, ledger: Ledger, log: list[str]
) -> None:
    url = f"json://user:{SECRET}@127.0.0.1:9/{SECRET}"  # port 9: nothing listens
    notifier = notify.Notifier(telling(settings, url), ledger, log.append)
    write(ledger, notify.failed, "k", "reason")
    notifier.finish(NOW)
    (line,) = log
    assert "number 1" in line
    assert "did not take it" in line
    assert table(ledger)["failed/k"].tries == 1


def test_a_server_that_hangs_holds_up_nothing(
    settings: Settings,
    ledger: Ledger,
    hook: Hook,
    well: Hook,
    log: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "LIMIT", 3.0)
    hook.gate.clear()
    try:
        notifier = notify.Notifier(telling(settings, hook.url, well.url), ledger, log.append)
        write(ledger, notify.failed, "k", "reason")
        notifier.step(NOW)
        assert notifier._busy()  # the worker does not wait for it
        notifier.close()
        assert hook.got == []  # it hangs still
        assert len(well.got) == 1  # the other one is told meanwhile
        assert "did not answer within 3 s" in table(ledger)["failed/k"].error
        write(ledger, notify.failed, "k2", "reason")
        notifier.finish(NOW)
        assert "still busy" in log[-1]  # and not asked again as long as it hangs
        assert len(well.got) == 2
    finally:
        hook.gate.set()
        for call in notifier._services._calls.values():
            call.join(10)


def test_step_raises_nothing(settings: Settings, hook: Hook, log: list[str]) -> None:
    broken = Ledger(f"sqlite:///{settings.home / 'absent' / 'ledger.db'}")
    notifier = notify.Notifier(telling(settings, hook.url), broken, log.append)
    notifier.finish(NOW)
    assert len(log) == 1
    assert not notify.safely(broken, lambda c: notify.failed(c, "k", "reason"))
    broken.close()


def test_a_notice_that_cannot_be_kept_does_not_fail_the_work(ledger: Ledger) -> None:
    with ledger.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no BEFORE INSERT ON notices BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
    with ledger.write() as connection:
        notify.failed(connection, "k", "reason")
        connection.execute(t.counters.insert().values(name="work", value=1))
    with ledger.read() as connection:
        assert connection.execute(select(t.counters.c.value)).scalars().all() == [1]
    assert table(ledger) == {}


def test_odd_names_are_kept_readable(ledger: Ledger) -> None:
    write(ledger, notify.failed, "HW-\udcff\0/x", "line one\nline two\r\n" + "x" * 5_000)
    (row,) = table(ledger).values()
    assert row.topic == "failed/HW-??/x"
    assert row.body.startswith("line one line two ")


def test_nothing_is_sent_while_it_is_off(settings: Settings, ledger: Ledger) -> None:
    notifier = notify.Notifier(settings, ledger)
    write(ledger, notify.failed, "k", "reason")
    notifier.finish(NOW)
    assert notifier.send() == 0
    assert table(ledger)["failed/k"].sent_at is None


def test_thousands_of_topics_are_quick_and_only_the_newest_are_kept(ledger: Ledger) -> None:
    started = time.process_time()
    with ledger.write() as connection:
        for number in range(3_000):
            notify.failed(connection, f"{number:05}", "reason")
    assert time.process_time() - started < 20
    kept = sorted(table(ledger))
    assert outbox.KEPT - outbox.ROOM <= len(kept) <= outbox.KEPT
    assert kept[-1] == "failed/02999"
    with ledger.write() as connection:
        notify.new_fields(connection, (f"f{number}" for number in range(2_500)))
    assert len(table(ledger)) <= outbox.KEPT


# -- what is said ----------------------------------------------------------------------------------


def test_a_long_list_is_cut() -> None:
    notices = [
        Notice("failed", f"failed/{n}", f"Raw file {n} failed", "why " * 99 + "\nway out")
        for n in range(45)
    ]
    title, body = compose(notices, "Asia/Makassar")
    lines = body.splitlines()
    assert title == "Haulwatch: 45 failed files"
    assert sum(line.startswith("- Raw file") for line in lines) == LINES
    assert f"- and {45 - LINES} more" in lines
    assert lines.count("way out") == 1
    assert max(map(len, lines)) <= WIDTH


def test_one_notice_is_its_own_message_and_times_are_local() -> None:
    first = int(datetime(2026, 2, 1, 23, tzinfo=UTC).timestamp() * 1e6)
    only = Notice("own", "own/1", "A title", "a reason\na way out", first, times=1_200)
    title, body = compose([only], "Asia/Makassar")
    assert title == "Haulwatch: A title"
    assert body.startswith("a reason\na way out (1,200 times since 2026-02-02 07:00")
    assert compose([only, only], "UTC")[0] == "Haulwatch: 2 own"


def test_tests_that_pass_again_are_told_at_once_when_they_fail(ledger: Ledger) -> None:
    write(ledger, notify.tests_failed, ["a: 1 row", "b: 2 rows"])
    write(ledger, notify.failed, "k", "reason")
    write(ledger, notify.tests_failed, [])
    assert set(table(ledger)) == {"failed/k"}


def test_files_over_which_workers_died_are_noted(settings: Settings, ledger: Ledger) -> None:
    arrive(ledger, NOW)
    with ledger.write() as connection:
        connection.execute(update(t.raw_keys).values(state="pending", attempts=MAX_ATTEMPTS))
    claim = claims.take(ledger, "w", 1, 60)
    assert claim is not None
    claims.abandon(ledger, claim.id)
    for _ in range(2):
        notify.Notifier(settings, ledger).step(NOW)
    row = table(ledger)["failed/a"]
    assert row.times == 1
    assert row.body.startswith("set aside: the worker died")


# -- silence ---------------------------------------------------------------------------------------


def test_silence_is_told_once_and_again_after_recovery(
    ledger: Ledger, hook: Hook, notifier: notify.Notifier
) -> None:
    notifier.finish(NOW)
    assert table(ledger) == {}  # nothing before the first file ever
    arrive(ledger, NOW)
    minutes = (1, 119, 121, 122, 180)
    for minute in minutes:
        notifier.finish(NOW + timedelta(minutes=minute))
        assert bool(table(ledger)) == (minute > 120)
    assert [message["title"] for message in hook.got] == [
        "Haulwatch: No raw file since 2026-02-02 08:00 (Asia/Makassar)"
    ]
    arrive(ledger, NOW + timedelta(minutes=181), "b")
    notifier.finish(NOW + timedelta(minutes=182))
    assert table(ledger) == {}
    notifier.finish(NOW + timedelta(minutes=303))
    assert len(hook.got) == 2


def test_silence_that_lasts_counts_so_that_it_is_told_again(
    settings: Settings, ledger: Ledger
) -> None:
    arrive(ledger, NOW)
    notify.silence(ledger, settings, NOW + timedelta(hours=3))
    age(ledger, 0.2)
    for _ in range(3):
        notify.silence(ledger, settings, NOW + timedelta(hours=4))
    assert table(ledger)["silence"].times == 2


def test_silence_can_be_off_and_ignored_files_break_no_silence(
    settings: Settings, ledger: Ledger
) -> None:
    arrive(ledger, NOW)
    arrive(ledger, NOW + timedelta(hours=3), "odd")
    with ledger.write() as connection:
        connection.execute(
            update(t.raw_keys).where(t.raw_keys.c.key == "odd").values(state="ignored")
        )
    off = load(home=settings.home, silence_minutes=0)
    notify.silence(ledger, off, NOW + timedelta(hours=3))
    assert table(ledger) == {}
    notify.silence(ledger, settings, NOW + timedelta(hours=3))
    assert set(table(ledger)) == {"silence"}
    notify.silence(ledger, off, NOW + timedelta(hours=3))
    assert table(ledger) == {}


def test_a_file_dated_in_the_future_ends_no_silence_for_ever(
    settings: Settings, ledger: Ledger
) -> None:
    arrive(ledger, NOW)
    with ledger.write() as connection:
        future = t.raw_keys.c.arrived_at + 10**15
        connection.execute(update(t.raw_keys).values(arrived_at=future))
    notify.silence(ledger, settings, NOW + timedelta(hours=3))
    assert "silence" in table(ledger)


# -- settings and secrets --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        f'["nosuch://{SECRET}"]',
        f'["json://localhost/", "{SECRET}"]',
        f'["tgram://{SECRET}"]',
        f'"json://{SECRET}"',
        f"json://{SECRET}",
        "[5]",
    ],
)
def test_a_wrong_address_names_its_variable_and_hides_its_value(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], value: str
) -> None:
    monkeypatch.setenv("HAULWATCH_NOTIFY", value)
    with pytest.raises(SettingsError, match=r"^HAULWATCH_NOTIFY: ") as caught:
        load()
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__
    assert SECRET not in "".join(capfd.readouterr())


def test_secrets_are_in_no_log_and_no_ledger(
    settings: Settings,
    ledger: Ledger,
    hook: Hook,
    log: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    hook.status = 500
    chosen = telling(settings, hook.url, f"json://user:{SECRET}@127.0.0.1:9/{SECRET}")
    notifier = notify.Notifier(chosen, ledger, log.append)
    write(ledger, notify.failed, "k", "reason")
    notifier.finish(NOW)
    assert log
    seen = "".join(log) + "".join(capfd.readouterr()) + str(table(ledger))
    seen += repr(chosen) + json.dumps(chosen.model_dump(mode="json"))
    assert SECRET not in seen


def test_a_delivered_file_breaks_the_silence(settings: Settings, ledger: Ledger, raw: Path) -> None:
    """As discovery records it."""
    from pipeline.ingest.discover import discover
    from pipeline.storage.objects import open_store

    key = deliver(raw, "2026013107", b"{}")
    discover(ledger, open_store(settings), full=True)
    arrived = datetime.fromtimestamp((raw / key).stat().st_mtime, UTC)
    notify.silence(ledger, settings, arrived + timedelta(minutes=119))
    assert table(ledger) == {}
    notify.silence(ledger, settings, arrived + timedelta(minutes=121))
    assert set(table(ledger)) == {"silence"}
