"""Sentences of the page of fatigue events."""

from __future__ import annotations

EN = {
    "fatigue_events.title": "Fatigue events",
    "fatigue.banner": (
        "Files come once an hour: the in-cab alarm is the first defence. A case is evidence to "
        "talk about, never the sole ground for discipline; an operator may see and contest it."
    ),
    "fatigue.cases": "Cases",
    "fatigue.cases.of": "all unreviewed",
    "fatigue.units": "Units with a case",
    "fatigue.units.of": "of {units} with data",
    "fatigue.blind": "Moving unseen",
    "fatigue.blind.of": "{blind} of {moving} h moving",
    "fatigue.blind.help": "Camera down or blocked, no face, sunglasses.",
    "fatigue.no_data": "No data",
    "fatigue.no_data.of": "{hours} of {day} unit-hours",
    "fatigue.no_data.help": "Distance driven meanwhile, by odometer: {km} km.",
    "fatigue.strip": "Units with a case, most metres with eyes closed first",
    "fatigue.strip.seen": "Moving, eyes seen",
    "fatigue.strip.blind": "Moving unseen (blind)",
    "fatigue.strip.none": "No data",
    "fatigue.strip.help": "The larger a mark, the more metres.",
    "fatigue.table": "Cases",
    "fatigue.table.hint": "Select a row to open the case.",
    "fatigue.none.but": (
        "No case was found in {seen} h of moving with eyes seen; {blind} h moving were unseen and "
        "{none} h brought no data. That does not show that nobody was tired."
    ),
    "fatigue.case": "Case: {kind} · {unit} · {time} {zone}",
    "fatigue.operator": "Operator",
    "fatigue.operator.none": "nobody signed on",
    "fatigue.trace": "Eyes and speed, second by second",
    "fatigue.trace.ear": "Eye aspect ratio",
    "fatigue.trace.level": "Open-eye level",
    "fatigue.trace.rule": "0.60 × open",
    "fatigue.trace.closed": "Share of frames closed",
    "fatigue.trace.speed": "Speed (km/h)",
    "fatigue.trace.alarm": "In-cab alarm",
    "fatigue.trace.case": "case",
    "fatigue.trace.none": "The seconds of this case are not available.",
    "kind.microsleep": "Microsleep",
    "kind.drowsy": "Drowsy",
    "kind.device_alarm": "Device alarm",
    "kind.yawn": "Yawning",
    "kind.distraction": "Distraction",
    "kind.not_tracked": "Driver not tracked",
    "evidence.closure": "closure, by the device",
    "evidence.ear_snapshot": "closure, from eye aspect",
    "evidence.closed_share": "closed share, 5 min",
    "evidence.device": "device alarm",
}

ID: dict[str, str] = {}
