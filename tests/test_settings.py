"""Settings: each mistake is one sentence that names its variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import settings as module
from pipeline.errors import HomeError, SettingsError
from pipeline.settings import load, ready_home, unknown_variables


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZONE", "Mars/Olympus"),
        ("ZONES", '{"MLKB": "Nowhere"}'),
        ("ZONES", "{not json"),
        ("SHIFT_START", '{"MLKB": "25:00"}'),
        ("BOXES", '{"MLKB": [-1.8, 114.8, -2.3, 115.4]}'),
        ("BOXES", '{"MLKB": [-2.3, 114.8, -1.8]}'),
        ("LEASE_SECONDS", "1"),
        ("LEASE_SECONDS", "soon"),
        ("MEMORY_LIMIT", "lots"),
        ("MEMORY_LIMIT", "0GB"),
        ("MEMORY_LIMIT", "1KB"),
        ("HOME", ""),
        ("HOME", " "),
        ("POLL_SECONDS", "inf"),
        ("POLL_SECONDS", "1e9"),
        ("QUERY_SECONDS", "nan"),
        ("THREADS", "0"),
        ("PORT", "70000"),
        ("RAW", "gs://bucket/raw"),
        ("GC_GRACE_SECONDS", "-5"),
    ],
)
def test_a_wrong_value_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("HAULWATCH_" + name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert str(caught.value).startswith(f"HAULWATCH_{name}: ")
    assert "\n" not in str(caught.value)


def test_environment_beats_the_file_which_beats_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load().poll_seconds == 15
    (tmp_path / "haulwatch.toml").write_text('poll_seconds = 7\nzone = "Asia/Jayapura"\n')
    assert load().poll_seconds == 7
    monkeypatch.setenv("HAULWATCH_POLL_SECONDS", "3")
    assert (load().poll_seconds, load().zone) == (3, "Asia/Jayapura")


@pytest.mark.parametrize("text", ["poll_seconds = ", 'polls = "x"'])
def test_a_wrong_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    monkeypatch.setenv("HAULWATCH_CONFIG", str(path))
    with pytest.raises(SettingsError):
        load()
    monkeypatch.setenv("HAULWATCH_CONFIG", str(tmp_path / "absent.toml"))
    with pytest.raises(SettingsError, match="no file"):
        load()


def test_a_misspelt_variable_is_pointed_out() -> None:
    (sentence,) = unknown_variables({"HAULWATCH_TREADS": "1", "HAULWATCH_HOME": "x", "PATH": ""})
    assert "HAULWATCH_TREADS" in sentence
    assert "HAULWATCH_THREADS" in sentence


def test_the_home_is_made_or_the_error_names_it(tmp_path: Path) -> None:
    assert ready_home(load(home=tmp_path / "a" / "b")).is_dir()
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HomeError, match="file"):
            ready_home(load(home=place))


def test_a_query_is_stopped_before_its_files_may_go() -> None:
    assert load(query_seconds=100, gc_grace_seconds=50).query_seconds < 25
    assert module.variable_of("home") == "HAULWATCH_HOME"
