"""Sentences of the page of engine telemetry."""

from __future__ import annotations

EN = {
    "engine_telemetry.title": "Engine telemetry",
    "engine.unit": "Unit",
    "engine.signals": "Signals",
    "engine.detail": "Detail",
    "engine.detail.minutes": "Minutes of the span",
    "engine.detail.seconds": "Seconds of {hour}",
    "engine.mean": "mean",
    "engine.chart": "Signals of {unit}",
    "engine.chart.help": (
        "Line: mean of a minute; shade: lowest to highest second of it, so a peak of one second "
        "survives. Lines stop where data is missing. Limits hold only under their condition."
    ),
    "engine.exceedances": "Exceedances",
    "engine.exceedances.none": "No limit was exceeded for 10 s or more in the observed time.",
    "engine.gap": "GPS against wheel speed",
    "engine.gap.help": "By minute, above the satellites in use.",
    "engine.gap.mean": "mean gap (km/h)",
    "engine.gap.max": "largest gap (km/h)",
    "engine.gap.satellites": "satellites",
    "engine.observed": "Observed",
    "engine.observed.of": "of {span} h in the span",
    "engine.exceeded.of": "{crit} critical",
    "engine.gap.of": "largest in a minute: {largest} km/h",
    "engine.no_units": "No unit has telemetry in this span.",
}

ID: dict[str, str] = {}
