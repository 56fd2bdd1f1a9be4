"""Sentences of the page of ingestion."""

from __future__ import annotations

EN = {
    "ingestion.title": "Ingestion",
    "ingestion.worker": "Worker",
    "ingestion.worker.alive": "seen {seconds} s ago",
    "ingestion.worker.dead": "last seen {seconds} s ago",
    "ingestion.worker.none": "none runs",
    "ingestion.worker.gone": "None",
    "ingestion.backlog": "Backlog",
    "ingestion.backlog.of": "of {total:,} files found",
    "ingestion.oldest": "Oldest waiting file",
    "ingestion.oldest.none": "nothing waits",
    "ingestion.accepted": "Lines accepted",
    "ingestion.accepted.of": "{accepted:,} of {lines:,}",
    "ingestion.failed": "Files set aside",
    "ingestion.failed.of": "of {total:,} files found",
    "ingestion.files_in": "Files taken in",
    "ingestion.lines": "Where every line went",
    "ingestion.lines.help": "For every file: lines = accepted + duplicate + quarantined + blank.",
    "ingestion.run.ingest": "Take in files",
    "ingestion.run.build": "Build marts",
    "ingestion.run.compact": "Compact days",
    "ingestion.asked": "Asked for. The worker takes it up at its next step.",
    "ingestion.runs": "Latest runs",
    "ingestion.runs.none": "Nothing has run yet.",
    "ingestion.files": "Files",
    "ingestion.files.status": "Status",
    "ingestion.files.text": "Key contains",
    "ingestion.files.none": "No file matches.",
    "ingestion.fields": "New fields",
    "ingestion.fields.none": "Devices sent no field that the dictionary does not know.",
    "ingestion.notices": "Notices",
    "ingestion.notices.help": "Trouble worth telling: files that did not come in whole, new fields,"
    " failed tests, silence. Where HAULWATCH_NOTIFY is set, each is sent once.",
    "ingestion.notices.none": "Nothing to report.",
    "ingestion.tests": "Failed tests of the marts",
    "ingestion.tests.none": "All {tests} tests of the latest build passed.",
    "ingestion.tests.never": "No mart has been built yet.",
    "lines.accepted": "Accepted",
    "lines.duplicate": "Duplicate",
    "lines.quarantined": "Quarantined",
    "lines.blank": "Blank",
}

ID: dict[str, str] = {}
