"""Sentences of the overview."""

from __future__ import annotations

EN = {
    "home.title": "Overview",
    "home.sentence": (
        "**{reporting} of {registered}** registered units report now. "
        "Fatigue cases: **{cases}**. Files delivered: **{delivery}**{missing}."
    ),
    "home.cases.of": "units: {units}; all unreviewed",
    "home.missing": ", device-hours missing: **{missing:,}**",
    "home.chart": "What every unit does now, by district",
    "home.chart.help": ("Units that report: most of the last minute seen. The others: {others}"),
    "home.units": "units",
    "home.attention": "Units that need a look",
    "home.attention.none": "No unit is late, silent or never seen.",
}

ID: dict[str, str] = {}
