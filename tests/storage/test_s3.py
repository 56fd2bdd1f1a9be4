"""Raw files on S3, against a real server and a link that breaks."""

from __future__ import annotations

import pickle
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import SettingsError, StoreUnavailable
from pipeline.settings import load
from pipeline.storage import bucket
from pipeline.storage.objects import DiskStore, open_store, parse_key
from pipeline.storage.s3 import S3Store
from tests.make import deliver
from tests.servers import Link, Seaweed

HOURS = [(datetime(2026, 1, 1) + timedelta(hours=i)).strftime("%Y%m%d%H") for i in range(1_040)]
ROOT = Path(__file__).parent.parent.parent

#: Where the answer must be there long before the real limit.
SOON = 60.0


def key(hour: str, device: str = "HW-1", district: str = "MLKB") -> str:
    return f"{district}/{device}/{hour}/{hour}.txt.gz"


@pytest.fixture(scope="session")
def server(seaweed_server: Seaweed) -> Seaweed:
    return seaweed_server


@pytest.fixture
def link(server: Seaweed) -> Iterator[Link]:
    with server.link() as link:
        yield link


@pytest.fixture
def url(server: Seaweed) -> str:
    return server.place()


def store_at(server: Seaweed, url: str, endpoint: str | None = None) -> S3Store:
    return S3Store(url, endpoint or server.endpoint, server.key, server.secret)


@pytest.fixture
def store(server: Seaweed, url: str) -> S3Store:
    return store_at(server, url)


@pytest.fixture(scope="session")
def many(server: Seaweed) -> tuple[str, set[str]]:
    """More objects than one answer holds, most of them one device's; and all of their keys."""
    url = server.place()
    keys = [key(hour) for hour in HOURS]
    keys += [
        key(hour, device, district)
        for hour in HOURS[:20]
        for device in ("HW-1-old", "HW-10")
        for district in ("MLKB", "MLKB-2")
    ]
    server.put_all(url, ((name, name.encode()) for name in keys))
    return url, set(keys)


def test_a_full_listing_shows_every_object_once(
    server: Seaweed, many: tuple[str, set[str]]
) -> None:
    url, keys = many
    found = list(store_at(server, url).entries())
    assert len(found) == len(keys) > 1_000
    assert {entry.key for entry in found} == keys
    assert all(entry.size == len(entry.key) for entry in found)
    assert all(abs(entry.modified_at / 1e6 - time.time()) < 600 for entry in found)


def test_a_poll_lists_each_device_from_its_hour_on(
    server: Seaweed, many: tuple[str, set[str]]
) -> None:
    url, keys = many
    store = store_at(server, url)
    assert {entry.key for entry in store.entries({})} == keys
    since = {"MLKB/HW-1": HOURS[-3], "MLKB/HW-10": HOURS[18], "MLKB-2/HW-10": HOURS[500]}
    found = [entry.key for entry in store.entries(since)]
    expected = [
        name
        for name in keys
        for district, device, hour, _ in [name.split("/")]
        if hour >= since.get(f"{district}/{device}", "")
    ]
    assert sorted(found) == sorted(expected)
    assert key(HOURS[-3]) in found  # the hour itself is still looked at
    assert len(found) == 3 + 2 + 2 * 20


def test_a_poll_starts_right_where_hours_are_missing(
    server: Seaweed, store: S3Store, url: str
) -> None:
    for hour in ("2026010110", "2026010112", "2026010114"):
        server.put(url, key(hour), b"x")
    for first, expected in (("2026010109", 3), ("2026010112", 2), ("2026010113", 1), ("2027", 0)):
        assert len(list(store.entries({"MLKB/HW-1": first}))) == expected, first


def test_listings_agree_with_the_disk(
    server: Seaweed, store: S3Store, url: str, tmp_path: Path
) -> None:
    for device in ("HW-1", "HW 2", "HW+3%20ü"):
        for hour in HOURS[:3]:
            deliver(tmp_path, hour, b"{}\n", device=device)
    strays = ["notes.txt", "MLKB/readme", "MLKB/HW-1/zz.txt", "MLKB/HW-1/2026010100/copy.gz"]
    for stray in strays:
        (tmp_path / stray).write_text(stray)
    server.upload(tmp_path, url)
    server.put(url, "MLKB/HW-1/", b"")  # what consoles make for a folder
    disk = DiskStore(tmp_path)
    for since in (None, {}, {"MLKB/HW-1": HOURS[1], "MLKB/HW 2": HOURS[2]}):
        there = {entry.key: entry.size for entry in store.entries(since)}
        assert there == {entry.key: entry.size for entry in disk.entries(since)}, since
    assert {name for name in there if parse_key(name) is None} == set(strays[:3])
    for entry in disk.entries():
        assert store.read(entry.key) == disk.read(entry.key)


def test_nothing_below_the_prefix_is_no_failure(server: Seaweed, store: S3Store) -> None:
    assert list(store.entries()) == []
    assert list(store.entries({"MLKB/HW-1": HOURS[0]})) == []
    server.put(f"{store.url}-2", key(HOURS[0]), b"another prefix that begins the same")
    assert list(store.entries()) == []


def test_a_bucket_without_prefix(server: Seaweed) -> None:
    server.client.create_bucket(Bucket="whole-bucket")
    store = store_at(server, "s3://whole-bucket")
    server.put(store.url, key(HOURS[0]), b"x")
    assert [entry.key for entry in store.entries()] == [key(HOURS[0])]
    assert [entry.key for entry in store.entries({})] == [key(HOURS[0])]
    assert store.read(key(HOURS[0])) == b"x"


def test_an_entry_changes_with_the_content(server: Seaweed, store: S3Store, url: str) -> None:
    server.put(url, key(HOURS[0]), b"first")
    (listed,) = store.entries()
    assert store.stat(listed.key) == listed
    server.put(url, key(HOURS[0]), b"other")
    changed = store.stat(listed.key)
    assert changed is not None
    assert (changed.size, changed.etag != listed.etag) == (5, True)
    assert store.read(listed.key) == b"other"


def test_an_object_that_is_gone(server: Seaweed, store: S3Store, url: str) -> None:
    server.put(url, key(HOURS[0]), b"x")
    server.delete(url, key(HOURS[0]))
    assert store.stat(key(HOURS[0])) is None
    with pytest.raises(FileNotFoundError, match=HOURS[0]):
        store.read(key(HOURS[0]))


def every_call(store: S3Store) -> list[Callable[[], object]]:
    return [
        lambda: list(store.entries()),
        lambda: list(store.entries({})),
        lambda: store.stat(key(HOURS[0])),
        lambda: store.read(key(HOURS[0])),
    ]


def fails(call: Callable[[], object], within: float = SOON) -> str:
    """The reason for which the store is unavailable; it must be known soon."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailable) as caught:
        call()
    assert time.monotonic() - began < within
    message = str(caught.value)
    assert "secret" not in message.replace("S3_SECRET", "")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("values", [{"secret": "wrong-secret"}, {"key": "nobody"}])
def test_refused_credentials(server: Seaweed, url: str, values: dict[str, str]) -> None:
    access = {"key": server.key, "secret": server.secret, **values}
    for call in every_call(S3Store(url, server.endpoint, **access)):
        assert "refuses our credentials" in fails(call)


def test_a_bucket_that_is_not_there(server: Seaweed) -> None:
    for call in every_call(store_at(server, "s3://no-such-bucket/raw")):
        assert "there is no bucket no-such-bucket" in fails(call)


def test_no_credentials_at_all(
    server: Seaweed, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    reason = fails(lambda: list(S3Store(url, server.endpoint).entries()))
    assert "set HAULWATCH_S3_KEY and HAULWATCH_S3_SECRET" in reason


def test_nobody_listens(server: Seaweed, url: str) -> None:
    with socket.socket() as taken:  # bound, not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for call in every_call(store_at(server, url, f"http://127.0.0.1:{port}")):
            assert f"no connection to 127.0.0.1:{port}" in fails(call)


def test_the_name_of_the_server_is_unknown(server: Seaweed, url: str) -> None:
    store = store_at(server, url, "http://nowhere.invalid:9000")
    assert "no connection to nowhere.invalid:9000" in fails(lambda: list(store.entries()))


@pytest.mark.parametrize("body", [b"", b"<html><body>Please sign in</body></html>", b"no XML"])
def test_another_server_answers(server: Seaweed, url: str, body: bytes) -> None:
    """A proxy or a sign-in page says 200 to everything."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_say_200, args=(listener, body), daemon=True)
        thread.start()
        store = store_at(server, url, f"http://127.0.0.1:{listener.getsockname()[1]}")
        for call in every_call(store):
            assert re.search("no sensible answer|it answers 500", fails(call))
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _say_200(listener: socket.socket, body: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            asked = connection.recv(65_536)
            head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
            connection.sendall(head if asked.startswith(b"HEAD") else head + body)


@pytest.mark.parametrize("since", [None, {}])
def test_the_link_is_cut_within_a_listing(
    server: Seaweed, many: tuple[str, set[str]], link: Link, since: dict[str, str] | None
) -> None:
    url, keys = many
    store = store_at(server, url, link.endpoint)
    link.cut(after=20_000)  # within an answer
    assert "127.0.0.1" in fails(lambda: list(store.entries(since)))
    link.restore()
    assert {entry.key for entry in store.entries(since)} == keys


def test_the_link_is_cut_between_two_answers(
    server: Seaweed, many: tuple[str, set[str]], link: Link
) -> None:
    url, keys = many
    listing = store_at(server, url, link.endpoint).entries()
    next(listing)
    link.cut()
    assert "no connection" in fails(lambda: list(listing))
    link.restore()
    assert len(list(store_at(server, url, link.endpoint).entries())) == len(keys)


def test_the_link_is_cut_within_a_read(server: Seaweed, url: str, link: Link) -> None:
    content = bytes(range(256)) * 20_000
    server.put(url, key(HOURS[0]), content)
    store = store_at(server, url, link.endpoint)
    assert store.read(key(HOURS[0])) == content
    link.cut(after=1_000_000)
    fails(lambda: store.read(key(HOURS[0])))
    fails(lambda: store.stat(key(HOURS[0])))
    link.restore()
    assert store.read(key(HOURS[0])) == content
    assert store.stat(key(HOURS[0])) is not None


def test_one_lost_connection_is_not_worth_a_word(server: Seaweed, url: str, link: Link) -> None:
    """Servers and firewalls drop connections that are idle; the next request makes another."""
    server.put(url, key(HOURS[0]), b"x")
    store = store_at(server, url, link.endpoint)
    for _ in range(3):
        assert store.read(key(HOURS[0])) == b"x"
        link.cut()
        link.restore()


def test_a_server_that_says_nothing_is_given_up(
    server: Seaweed, many: tuple[str, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, keys = many
    store = store_at(server, url)
    listing = store.entries()
    next(listing)
    hasten(monkeypatch)  # only now: what must succeed may take its time
    server.pause()
    try:
        assert "no answer" in fails(lambda: list(listing), HASTENED)
        for call in every_call(store):
            assert "no answer" in fails(call, HASTENED)
    finally:
        server.resume()
    monkeypatch.undo()
    assert len(list(store.entries())) == len(keys)


def test_the_link_falls_silent_within_a_read(
    server: Seaweed, url: str, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * 20_000
    server.put(url, key(HOURS[0]), content)
    store = store_at(server, url, link.endpoint)
    link.hush(after=1_000_000)
    hasten(monkeypatch)
    assert "no answer" in fails(lambda: store.read(key(HOURS[0])), HASTENED)
    assert "no answer" in fails(lambda: list(store.entries()), HASTENED)
    monkeypatch.undo()
    link.restore()
    assert store.read(key(HOURS[0])) == content


#: Seconds for a machine under load to give up; less than the answer that is waited for otherwise.
HASTENED = 12


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for an answer for a second, and not again."""
    monkeypatch.setattr(bucket, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(bucket, "QUICK_SECONDS", 0.9)


def test_a_listing_may_be_left_half_read(server: Seaweed, many: tuple[str, set[str]]) -> None:
    listing = store_at(server, many[0]).entries({})
    next(listing)
    listing.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("list-s3")]


def test_a_store_is_a_value(server: Seaweed, store: S3Store, url: str) -> None:
    server.put(url, key(HOURS[0]), b"x")
    before = pickle.dumps(store)
    assert store.read(key(HOURS[0])) == b"x"
    assert pickle.dumps(store) == before  # no connection goes along
    assert pickle.loads(before) == store
    assert server.secret not in repr(store)


def test_another_process_reads_and_ends_in_silence(
    server: Seaweed, store: S3Store, url: str, link: Link
) -> None:
    """Nothing is said of connections left open, neither after good work nor after a failure."""
    server.put(url, key(HOURS[0]), b"x" * 1_000_000)
    code = """
import pickle, sys
from pipeline.errors import StoreUnavailable
good, bad = pickle.load(sys.stdin.buffer)
name = next(iter(good.entries())).key
print(len(good.read(name)), list(good.entries({})) == [good.stat(name)])
try:
    bad.read(name)
except StoreUnavailable as error:
    print(error)
"""
    link.cut(after=200_000)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        input=pickle.dumps((store, store_at(server, url, link.endpoint))),
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.stderr.decode() == ""
    first, second = done.stdout.decode().splitlines()
    assert first == "1000000 True"
    assert second.startswith(f"{url} cannot be reached: ")


def test_the_settings_name_the_store(
    server: Seaweed, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.variables(url + "/").items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.raw_is_remote
    assert open_store(settings) == store_at(server, url)
    with pytest.raises(SettingsError, match="HAULWATCH_RAW"):
        _ = settings.raw_root
    monkeypatch.delenv("HAULWATCH_RAW")
    assert not load().raw_is_remote
    assert isinstance(open_store(load()), DiskStore)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("RAW", "s3://", "names no bucket"),
        ("RAW", "s3:///prefix", "names no bucket"),
        ("RAW", "gs://bucket/raw", "gs:// is not supported"),
        ("RAW", "s3://key:hidden@bucket/raw", "HAULWATCH_S3_KEY"),
        ("LAKE", "gs://bucket/lake", "gs:// is not supported"),
        ("S3_ENDPOINT", "10.0.0.5:8333", "http://"),
        ("S3_SECRET", "", "or neither"),
    ],
)
def test_what_cannot_be_a_store_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    for known, good in (("RAW", "s3://bucket"), ("S3_KEY", "key"), ("S3_SECRET", "hidden")):
        monkeypatch.setenv("HAULWATCH_" + known, good)
    monkeypatch.setenv("HAULWATCH_" + name, value)
    with pytest.raises(SettingsError, match=f"^HAULWATCH_\\w+: .*{reason}") as caught:
        open_store(load())
    assert "hidden" not in str(caught.value)
