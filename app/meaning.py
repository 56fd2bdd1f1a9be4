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
        "eye_hour.open_ear",
    ),
    "fatigue.place": ("unit_minute.lat", "unit_minute.lon"),
    "fatigue.days": ("fatigue_case", "unit_day.eyes_valid_moving_s", "unit_day.fwversion"),
    "fatigue.profile": ("operator_shift", "operator_shift.eyes_valid_moving_by_hour_s"),
    "fleet.map": ("unit_hour.lat", "unit_hour.heading"),
    "fleet.gantt": ("state_interval", "unit_day.idle_s", "unit_day.unknown_s"),
    "fleet.idle": ("unit_day.idle_3_6_s", "unit_day.idle_6_9_s", "unit_day.idle_9_s"),
    "fleet.health": ("device_health",),
    "fleet.firmware": ("device_health.state", "unit_day.fwversion"),
    "engine.signals": ("unit_minute", "unit_hour"),
    "engine.status": (
        "unit_minute.cam_cabin_up_s",
        "unit_minute.cam_front_up_s",
        "unit_minute.gps_fix_s",
    ),
    "engine.gap": ("speed_deviation", "speed_deviation.gap_mean", "speed_deviation.by_gps_share"),
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
    "home.waiting": ("fatigue_case", "fatigue_case.severity"),
    "fatigue.waiting": ("fatigue_case",),
    "fatigue.blind": ("unit_minute.blind_moving_s",),
    "fatigue.no_data": ("unit_day.no_data_s",),
    "fleet.eu": ("unit_availability.eu",),
    "fleet.used": ("unit_day.moving_s",),
    "fleet.pa": ("unit_availability.pa", "unit_availability.log_covers"),
    "fleet.ma": ("unit_availability.ma", "unit_availability.log_covers"),
    "fleet.ua": ("unit_availability.ua", "unit_availability.log_covers"),
    "fleet.mtbf": ("unit_availability.breakdowns", "unit_availability.work_s"),
    "fleet.mttr": ("unit_availability.breakdown_s",),
    "fleet.meter": ("unit_day.engine_hours_last",),
    "fleet.to_service": ("unit_day.service_km_last",),
    "fleet.fuel": ("unit_day.fuel_l", "unit_day.engine_h"),
    "engine.observed": ("unit_minute.seconds",),
    "engine.exceedances": ("exceedance",),
    "engine.distrusted": ("signal_trust", "signal_trust.trusted"),
    "delivery.fulfilment": ("device_hour",),
    "delivery.rows": ("device_hour.accepted", "device_hour.overlapped"),
    "delivery.without": ("device_hour",),
    "delivery.backlog": ("unit_minute.uploadbacklog_max",),
    "delivery.lost": ("device_hour.seqno_lost", "device_hour.powered_s"),
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
        "fatigue.reviewed",
        "fatigue.false",
        "delivery.availability",
        "ingestion.worker",
        "ingestion.files_in",
        "ingestion.backlog",
        "ingestion.failed",
        "devices.valid",
        "devices.units",
        "devices.unregistered",
        "downtime.rows",
        "downtime.stood",
        "downtime.covered",
        "thresholds.moved",
        "thresholds.changes",
        "users.able",
        "users.bound",
        "audit.entries",
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
