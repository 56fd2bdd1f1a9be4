"""What needs no browser: access table, texts, figures, charts, configuration, keys."""

from __future__ import annotations

import re
import stat
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from app import access, backend, figures, serve, tables, text, tiles
from app.charts import delivery, fatigue, fleet, palette
from pipeline.errors import PortBusy
from pipeline.settings import Settings
from pipeline.storage.people import ROLES
from tests.app.test_delivery_pure import grid, summed

ROOT = Path(access.__file__).parent.parent
ZONE = "Asia/Makassar"


def test_every_page_has_a_file_and_every_file_is_a_page() -> None:
    files = {path.stem for path in access.PAGES_FOLDER.glob("*.py") if path.stem != "__init__"}
    assert files == set(access.BY_NAME)


def test_the_table_of_roles() -> None:
    seen = {role: [p.name for p in access.PAGES if role in p.roles] for role in ROLES}
    assert seen == {
        "supervisor": ["home", "fatigue_events", "fleet_health"],
        "fleet_manager": ["home", "fleet_health", "engine_telemetry", "data_delivery"],
        "admin": [page.name for page in access.PAGES],
    }
    assert not access.may_open("admin", "no_such_page")


def test_roles_appear_in_one_module() -> None:
    for path in [*(ROOT / "app").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        if path.name in ("access.py", "cli.py", "demo.py") or path.parent.name == "text":
            continue
        for role in ROLES:
            assert f'"{role}"' not in path.read_text(), path


def test_districts_narrow() -> None:
    assert access.allowed_districts((), ("A",)) == ("A",)
    assert access.allowed_districts(("A", "B"), ()) == ("A", "B")
    assert access.allowed_districts(("A", "B"), ("B", "C")) == ("B",)
    assert access.allowed_districts(("A",), ("C",)) == ("A",)


def test_every_sentence_asked_for_exists_and_no_other() -> None:
    sources = [*(ROOT / "app").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    code = "\n".join(path.read_text() for path in sources if path.parent.name != "text")
    asked = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_0-9]+)*)["']""", code))
    families = {key.split(".")[0] for key in text.EN}
    missing = {
        key for key in asked if "." in key and key.split(".")[0] in families and key not in text.EN
    }
    assert missing <= {"app.cli"} | set(serve.OPTIONS)
    # Families whose keys are put together from a word: say(f"state.{state}").
    built = set(re.findall(r"""f["']([a-z_.]+\.)\{""", code)) | {"column.", "kind.", "evidence."}
    built |= {"fault.", "remedy."}
    # A section's own: say(f"{title}.help").
    asked |= {f"{key}.{end}" for key in asked for end in ("help", "none")}
    titles = {f"{name}.title" for name in access.BY_NAME}
    prefixes = tuple(built | {f"{word}." for word in ("status", "cell", "object")})
    assert not {key for key in set(text.EN) - asked - titles if not key.startswith(prefixes)}


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "[x](http://evil)", "*b*", "a\nb", "$x$", ":red[x]"]
)
def test_text_from_devices_is_shown_as_it_is(hostile: str) -> None:
    shown = text.plain(hostile)
    assert "\n" not in shown
    assert re.sub(r"\\(.)", r"\1", shown) == hostile.replace("\n", " ")
    assert not re.search(r"(?<!\\)[*_\[\]<>$`:]", shown)
    assert "<" not in text.markless(hostile)
    assert len(text.plain("x" * 10_000)) < 300


def test_shares_never_flatter() -> None:
    assert tiles.share(0, 0) == "–"
    assert tiles.share(99_999, 100_000) == "99.9 %"
    assert tiles.share(5, 5) == "100 %"
    assert tiles.share(0, 5) == "0 %"
    assert tiles.span(90) == "90 s"
    assert tiles.span(3 * 3600) == "3 h"


def cells(**states: int) -> pl.DataFrame:
    rows = []
    for state, number in states.items():
        for i in range(number):
            rows.append(
                {
                    "district": "A",
                    "deviceid": f"d{i}",
                    "unitno": f"u{i}",
                    "hour": "2026013105",
                    "hour_start": datetime(2026, 1, 30, 21, tzinfo=UTC),
                    "key": None,
                    "arrived_at": None,
                    "lines": 3600 if state in figures.delivery.DELIVERED else 0,
                    "accepted": 3600 if state == "complete" else 1100,
                    "overlapped": 0 if state == "complete" else 100,
                    "quarantined": 0,
                    "delay_s": 60.0 if state in figures.delivery.DELIVERED else None,
                    "late": False,
                    "state": state,
                    "due": state != "pending",
                    "cause": "unknown" if state == "missing" else None,
                    "cause_confidence": None,
                    "cause_evidence": None,
                }
            )
    empty = {"key": pl.String, "cause": pl.String, "cause_evidence": pl.String}
    numbers = {"delay_s": pl.Float64, "cause_confidence": pl.Float64}
    return pl.DataFrame(rows, schema_overrides={**empty, **numbers})


def test_fulfilment_counts_what_is_expected_and_nothing_else() -> None:
    found = cells(complete=6, partial=1, missing=2, proven_off=1, pending=5, not_registered=3)
    files, rows, without, missing, late, delay = figures.delivery.tiles(summed(found))
    assert files.value == "70.0 %"
    assert files.note == "7 of 10 device-hours; 70.0 % as first published"
    assert (rows.value, rows.note) == ("62.8 %", "22,600 of 36,000 s")
    # 7 of 9 files; 22,600 of 9 × 3,600 s.
    assert without.value == "77.8 %"
    assert without.note == "of 9 device-hours (1 proven off); rows 69.8 %"
    assert (missing.value, missing.note) == ("2", "of 10 device-hours; 5 pending")
    assert late.note == "of 7 delivered"
    tardy = found.with_columns(late=pl.int_range(pl.len()) == 0)
    note = figures.delivery.tiles(summed(tardy))[0].note
    assert note == "7 of 10 device-hours; 60.0 % as first published"
    # Two of nine have not come: the slowest five per cent are later than everything known.
    assert delay.value == "60 s"
    assert delay.note == "95 % within more than 60 s (some not delivered)"


def test_what_came_within_its_grace_counts_once_the_grace_is_over() -> None:
    """Of an hour that may still come in full, fifty files of a hundred are neither all nor half."""
    due = cells(complete=6, missing=2)
    early = cells(complete=50, partial=4, pending=46).with_columns(due=False, delay_s=1.0)
    alone, both = (summed(frame) for frame in (due, pl.concat([due, early])))
    before, now = (figures.delivery.tiles(states) for states in (alone, both))
    assert now[0].value == "75.0 %"
    assert now[0].note == "6 of 8 device-hours; 75.0 % as first published"
    assert (now[1].value, now[1].note) == ("75.0 %", "21,600 of 28,800 s")
    assert now[3].note == "of 8 device-hours; 46 pending"
    for place in (0, 1, 2, 4, 5):
        assert now[place] == before[place]
    drawn = [[(b.x, b.y) for b in delivery.delays(one, False).data] for one in (alone, both)]
    assert drawn[0] == drawn[1]
    # They are there to be seen all the same.
    names = [trace.name for trace in grid(early).data]
    assert names == ["Complete", "Partial", "Pending"]


def test_lines_end_at_gaps() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    times = [start + timedelta(seconds=s) for s in (0, 1, 2, 30, 31)]
    frame = fatigue.broken(pl.DataFrame({"ts": times, "v": [1.0] * 5}), "ts", 10)
    assert frame["v"].to_list() == [1, 1, 1, None, 1, 1]


@pytest.mark.parametrize("dark", [False, True])
def test_the_grid_of_every_state(dark: bool) -> None:
    figure = grid(cells(**dict.fromkeys(delivery.STATES, 1)), dark)
    assert [trace.type for trace in figure.data] == ["heatmap"] * 2 + ["bar"] * 5
    assert [trace.name for trace in figure.data] == [
        *("Complete", "Proven off"),
        *("Partial", "Corrupt", "Missing", "Pending", "Not registered"),
    ]


def test_missing_data_is_grey_and_hatched() -> None:
    for colours in (palette.LIGHT, palette.DARK):
        marker = palette.unknown_marker(colours)
        red, green, blue = (int(colours.unknown[i : i + 2], 16) for i in (1, 3, 5))
        assert max(red, green, blue) - min(red, green, blue) < 16
        assert marker["pattern"]["shape"] == "/"  # type: ignore[index]


def test_unit_rows_put_trouble_first() -> None:
    now = pl.DataFrame(
        {
            "dstrct_code": ["A"] * 3,
            "unitno": ["u1", "u2", "u3"],
            "unittype": ["dump"] * 3,
            "status": ["reporting", "silent", "never_seen"],
            "last_seen": [datetime(2026, 1, 1, tzinfo=UTC)] * 2 + [None],
            "last_state": ["moving", "idle", None],
            "age_s": [10.0, 9e4, None],
        },
        schema_overrides={"last_seen": pl.Datetime("us", "UTC")},
    )
    assert tables.fleet.attention(now, ZONE)["Unit"].to_list() == ["u3", "u2"]
    assert figures.fleet.doing(now)["doing"].to_list() == ["moving", "silent", "never_seen"]
    assert len(fleet.now_bars(figures.fleet.doing(now), dark=True).data) == 3
    assert [tile.value for tile in figures.fleet.statuses(now)] == ["1", "0", "1", "0", "1"]


def test_two_ways_to_serve_have_one_configuration() -> None:
    found = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())

    def flat(table: dict[str, object], prefix: str = "") -> dict[str, object]:
        out: dict[str, object] = {}
        for key, value in table.items():
            out |= (
                flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
            )
        return out

    assert flat(found) == serve.OPTIONS


def test_the_cookie_key_is_made_once_and_private(settings: Settings) -> None:
    first = backend.cookie_key(settings)
    path = settings.home / "secrets" / "cookie.key"
    assert len(bytes.fromhex(first)) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert backend.cookie_key(settings) == first


def test_a_busy_port_is_named() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy, match=str(port)):
            serve.check_port("127.0.0.1", port)
