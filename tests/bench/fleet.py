"""Raw files for benchmarks: a simulated fleet-hour, and what can be made of it by links.

Files that are not changed are hard links: ten fleet-hours need no more room than one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from isal import igzip

HOUR = "%Y%m%d%H"


def files(raw: Path) -> list[Path]:
    """Raw files below a folder, in the order of their keys."""
    return sorted(raw.glob("*/*/*/*.txt.gz"))


def sixth(raw: Path, target: Path) -> int:
    """Every sixth file, for rivals that would take too long; returns how many."""
    chosen = files(raw)[::6]
    for path in chosen:
        _link(path, target / path.relative_to(raw))
    return len(chosen)


def hours(raw: Path, target: Path, times: int) -> int:
    """The same files as ``times`` consecutive path hours, each of other devices.

    The rows keep their times: only as other devices' do they stand beside each other. Returns the
    number of files.
    """
    made = 0
    for path in files(raw):
        district, device, hour, _ = path.relative_to(raw).parts
        for number in range(times):
            shown = (datetime.strptime(hour, HOUR) + timedelta(hours=number)).strftime(HOUR)
            _link(path, target / district / f"{device}-{number}" / shown / f"{shown}.txt.gz")
            made += 1
    return made


def damaged(raw: Path, target: Path, share: float) -> int:
    """A fleet-hour with that share of damaged files, of every kind in turn; returns how many."""
    every = files(raw)
    number = max(1, round(len(every) * share))
    chosen = {every[i * len(every) // number] for i in range(number)}
    kinds = list(KINDS.values())
    spoiled = 0
    for path in every:
        if path in chosen:
            spoil(path, target / path.relative_to(raw), kinds[spoiled % len(kinds)])
            spoiled += 1
        else:
            _link(path, target / path.relative_to(raw))
    return number


def damaged_every(raw: Path, target: Path) -> None:
    """A fleet-hour with one bad line in every file."""
    for path in files(raw):
        spoil(path, target / path.relative_to(raw), bad_line)


def spoil(path: Path, target: Path, kind: Callable[[bytes], bytes]) -> None:
    """Write a damaged copy that arrives when the whole file did."""
    target.parent.mkdir(parents=True, exist_ok=True)
    packed = path.read_bytes()
    if kind is torn:
        target.write_bytes(torn(packed))
    else:
        target.write_bytes(igzip.compress(kind(igzip.decompress(packed)), mtime=0))
    stat = path.stat()
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def bad_line(text: bytes) -> bytes:
    """One line lost its second half: the device stopped while it wrote, and went on."""
    return _middle(text, lambda line: line[: len(line) // 2])


def torn(packed: bytes) -> bytes:
    """The upload broke off: of the packed bytes, the first part is there."""
    return packed[: len(packed) * 3 // 5]


def unknown_field(text: bytes) -> bytes:
    """A new firmware sends a field that nobody knows, in every line."""
    return text.replace(b"}\n", b',"benchfield":1.5}\n')


def duplicate_key(text: bytes) -> bytes:
    """One line has the same key twice."""
    return _middle(text, lambda line: b'{"EngineSpeed":700,"EngineSpeed":701,' + line[1:])


def white_space(text: bytes) -> bytes:
    """Another JSON writer: spaces around every colon."""
    return text.replace(b'":', b'" : ')


KINDS: dict[str, Callable[[bytes], bytes]] = {
    kind.__name__: kind for kind in (bad_line, torn, unknown_field, duplicate_key, white_space)
}


def _middle(text: bytes, change: Callable[[bytes], bytes]) -> bytes:
    lines = text.split(b"\n")
    at = (len(lines) - 1) // 2
    lines[at] = change(lines[at])
    return b"\n".join(lines)


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, target)
    except OSError:  # a file system without hard links
        shutil.copy2(path, target)


def remove(folders: Iterable[Path]) -> None:
    """Remove what a run wrote."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
