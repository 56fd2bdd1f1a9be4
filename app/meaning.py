"""What charts and figures mean, in the words of the marts, where alone a definition stands.

``text`` adds what no mart can know: how the picture is to be read, and numbers of the moment.
"""

from __future__ import annotations

from app.text import plain
from pipeline.marts.catalogue import words

#: Where the documentation is served, and how dbt's page names a model of our project in there.
DOCS = "/docs/"
MODEL = "#!/model/model.haulwatch."

#: Title of a chart or label of a tile → the marts, or columns of marts, that say what it means.
SOURCES: dict[str, tuple[str, ...]] = {
    # charts
    "home.chart": ("unit_minute.moving_s", "unit_minute.idle_s", "unit_minute.off_s"),
    "fatigue.strip": (
        "fatigue_case.metres_closed",
        "unit_minute.blind_moving_s",
        "unit_day.no_data_s",
    ),
    "fatigue.trace": (
        "fatigue_case.evidence",
        "fatigue_case.closure_s",
        "fatigue_case.closed_share",
    ),
    "fleet.hours": (
        "unit_minute.moving_s",
        "unit_minute.idle_s",
        "unit_minute.off_s",
        "unit_day.inferred_off_s",
        "unit_day.unknown_s",
    ),
    "engine.signals": ("unit_minute",),
    "engine.gap": ("unit_minute.speed_gap_mean", "unit_minute.speed_gap_max"),
    "delivery.grid": ("device_hour",),
    "delivery.delays": ("device_hour.arrival_delay_s",),
    "delivery.causes": ("device_hour.cause", "device_hour.cause_confidence"),
    "delivery.coverage": ("coverage_cell", "coverage_cell.enough"),
    "ingestion.age": ("device_hour.arrived_at",),
    "ingestion.lines": (
        "device_hour.accepted",
        "device_hour.duplicate",
        "device_hour.quarantined",
        "device_hour.blank",
    ),
    # tiles
    "fatigue.cases": ("fatigue_case",),
    "fatigue.units": ("fatigue_case",),
    "fatigue.blind": ("unit_minute.blind_moving_s",),
    "fatigue.no_data": ("unit_day.no_data_s",),
    "engine.observed": ("unit_minute.seconds",),
    "engine.exceedances": ("exceedance",),
    "delivery.fulfilment": ("device_hour",),
    "delivery.rows": ("device_hour.accepted", "device_hour.overlapped"),
    "delivery.without": ("device_hour",),
    "delivery.backlog": ("unit_minute.uploadbacklog_max",),
    "delivery.missing": ("device_hour",),
    "delivery.late": ("device_hour.late",),
    "delivery.delay": ("device_hour.arrival_delay_s",),
    "ingestion.accepted": ("device_hour.accepted",),
}

#: Tiles that are asked of the ledger at this moment: no mart holds them, ``text`` defines them.
OF_THE_MOMENT = frozenset(
    {
        "status.reporting",
        "status.late",
        "status.silent",
        "status.parked",
        "status.never_seen",
        "home.attention",
        "delivery.availability",
        "ingestion.worker",
        "ingestion.files_in",
        "ingestion.backlog",
        "ingestion.failed",
    }
)

#: No description is cut: this is far more than any has.
LONGEST = 2_000


def of(key: str, reading: str = "") -> str:
    """Help text (Markdown): the marts' words, then how to read it, then where they stand.

    ``reading`` is Markdown of our own. Empty when there is nothing to say.
    """
    names = SOURCES.get(key, ())
    said = [plain(words(name), LONGEST) for name in names]
    marts = dict.fromkeys(name.partition(".")[0] for name in names)
    links = ", ".join(f"[{plain(mart)}]({DOCS}{MODEL}{mart})" for mart in marts)
    return "\n\n".join(part for part in (*said, reading, links) if part)
