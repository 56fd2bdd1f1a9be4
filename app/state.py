"""Every key of the session's state, and of the address."""

from __future__ import annotations

# Set by streamlit-authenticator; its names are fixed.
SIGNED_IN = "authentication_status"
IDENTITY = "username"
SIGNED_OUT = "logout"
AUTHENTICATOR_KEYS = (SIGNED_IN, IDENTITY, "name", "email", "roles")

# Ours.
WAIT = "sign_in_wait"
ENDS = "sign_in_ends"
# In the address of a set-up link.
SETUP = "setup"
# What an administrator's last action came to, shown once.
TOLD = "told"

#: Also its name in the address.
LANGUAGE = "lang"

FILTERS = "filters"
DRAWN = "drawn"
VISIT = "visit"
OPERATORS_SEEN = "operators_seen"
#: By case: how many reviews were sent from here, and the newest one and the ladder of actions that
#: were known when its form was drawn.
REVIEW_FORMS = "review_forms"
#: How many ladders were set from here, and the one that was known when the form was drawn.
LADDER_FORM = "ladder_form"

# Shared filters; also their names in the address.
DISTRICT = "district"
FIRST = "from"
LAST = "to"
UNIT = "unit"
SIGNALS = "signals"

# The page of fatigue events: the opened case and what else is looked at.
CASE = "case"
VIEW = "view"
CONTACTS = "contacts"
SHIFT = "shift"
KINDS = "kinds"
SEASON = "season"

# Engine telemetry; its zoom and how it compares stand in the address, too.
START = "start"
END = "end"
COMPARE = "compare"
SPANS_BEFORE = "spans_before"
DICTIONARY = "dictionary"

# Fleet health.
STATUS = "status"

# Data delivery, ingestion: the opened device-hour (also in the address), what is to be read again.
CELL = "cell"
REREAD_PLAN = "reread_plan"
LINES_SEEN = "lines_seen"
GRID_CHART, CELL_TABLE = "grid", "cells"
