"""Tables of the documents that are made from code: ``make readme`` writes, a test compares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path

from pipeline.downtime import CODES, KINDS
from pipeline.fields import FIELDS, Field
from pipeline.settings import Settings, variable_of

ROOT = Path(__file__).parent.parent


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def settings_table() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=False)
        if field.default_factory is not None:
            shown = "the cores"
        elif default is None:
            shown = ""
        else:
            shown = f"`{default}`"
        rows.append((f"`{variable_of(name)}`", shown, field.description or ""))
    return table(("variable", "default", "what it decides"), rows)


def groups_table() -> str:
    groups = groupby(sorted(FIELDS, key=lambda f: f.group), key=lambda f: f.group)
    rows = []
    for name, members in groups:
        names = [field.name for field in members]
        rows.append((name, str(len(names)), ", ".join(names[:4]) + (" …" if names[4:] else "")))
    return table(("group", "fields", "for example"), rows)


def fields_table() -> str:
    return table(
        ("field", "group", "unit", "legal", "SPN", "what it is"),
        (
            (f"`{f.name}`", f.group, f.unit, _legal(f), str(f.spn or ""), f.description)
            for f in FIELDS
        ),
    )


def _legal(field: Field) -> str:
    if not field.numeric:
        return ", ".join(field.values)
    return f"{field.min:g} … {field.max:g}"


def codes_table() -> str:
    planned = {True: "yes", False: "no", None: ""}
    return table(
        ("code", "what it is", "counts as", "scheduled"),
        (
            (f"`{c.code}`", c.label, f"{c.kind}, {KINDS[c.kind]}", planned[c.scheduled])
            for c in CODES
        ),
    )


#: (document, marker) → what stands between ``<!-- marker -->`` and ``<!-- /marker -->``.
TABLES: dict[tuple[str, str], Callable[[], str]] = {
    ("README.md", "settings"): settings_table,
    ("README.md", "groups"): groups_table,
    ("docs/fields.md", "fields"): fields_table,
    ("docs/downtime.md", "codes"): codes_table,
}


def between(marker: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {marker} -->\n).*?(\n<!-- /{marker} -->)", re.S)


def main() -> None:
    for (document, marker), make in TABLES.items():
        path = ROOT / document
        content = make()
        text, found = between(marker).subn(
            lambda match, content=content: match[1] + content + match[2],  # type: ignore[misc]
            path.read_text(),
        )
        if not found:
            raise SystemExit(f"{document} has no marker {marker}")
        path.write_text(text)


if __name__ == "__main__":
    main()
