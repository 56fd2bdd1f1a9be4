"""Many notices as one message: by kind, the most urgent first, with only so many spelled out."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.notify.outbox import KEPT, ROOM, Notice
from pipeline.notify.trouble import local

#: Most notices of a message that are spelled out, whatever their kinds.
LINES = 20
#: Longest of those lines: some services refuse messages over 4,000 characters.
WIDTH = 160

#: Kinds by urgency: what one is called, and many.
KINDS = {
    "fatigue": ("critical fatigue case", "critical fatigue cases"),
    "tests": ("failed data test", "failed data tests"),
    "task": ("failed task", "failed tasks"),
    "silence": ("silence", "silences"),
    "failed": ("failed file", "failed files"),
    "partial": ("damaged file", "damaged files"),
    "fields": ("new field", "new fields"),
}


def compose(notices: Sequence[Notice], zone: str) -> tuple[str, str]:
    """Title and body, plain text, of the one message about all of ``notices`` (at least one).

    ``zone``: IANA name of the zone in which times are written.
    """
    if len(notices) == 1:
        only = notices[0]
        return f"Haulwatch: {only.title}", only.body + _times(only, zone)
    kinds = dict.fromkeys([*KINDS, *(n.kind for n in notices)])
    groups = {kind: [n for n in notices if n.kind == kind] for kind in kinds}
    groups = {kind: members for kind, members in groups.items() if members}
    each = max(1, LINES // len(groups))
    heads = [_count(kind, len(members)) for kind, members in groups.items()]
    parts = []
    for head, members in zip(heads, groups.values(), strict=True):
        lines = [f"{head}:", *(_line(notice, zone) for notice in members[:each])]
        if len(members) > each:
            full = " or more: only the newest are kept" if len(notices) >= KEPT - ROOM else ""
            lines.append(f"- and {len(members) - each:,} more{full}")
        # The way out is the same for most of a kind: said once, not twenty times.
        lines += dict.fromkeys(_way_out(notice) for notice in members[:each] if _way_out(notice))
        parts.append("\n".join(lines))
    return f"Haulwatch: {', '.join(heads)}", "\n\n".join(parts)


def _count(kind: str, number: int) -> str:
    one, many = KINDS.get(kind, (kind, kind))
    return f"{number:,} {one if number == 1 else many}"


def _line(notice: Notice, zone: str) -> str:
    text = f"- {notice.title}: {notice.body.partition(chr(10))[0]}"
    text = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    return text + _times(notice, zone)


def _way_out(notice: Notice) -> str:
    return notice.body.partition("\n")[2].strip()


def _times(notice: Notice, zone: str) -> str:
    """How often it was met, for what is told again."""
    if notice.times == 1:
        return ""
    return f" ({notice.times:,} times since {local(notice.first_at, zone)})"
