"""Every key of the session's state, and of the address."""

from __future__ import annotations

# Set by streamlit-authenticator; its names are fixed.
SIGNED_IN = "authentication_status"
IDENTITY = "username"
SIGNED_OUT = "logout"
AUTHENTICATOR_KEYS = (SIGNED_IN, IDENTITY, "name", "email", "roles")

# Ours.
WAIT = "sign_in_wait"

FILTERS = "filters"
DRAWN = "drawn"
OPERATORS_SEEN = "operators_seen"

# Shared filters; also their names in the address.
DISTRICT = "district"
FIRST = "from"
LAST = "to"
UNIT = "unit"
SIGNALS = "signals"

# Data delivery, ingestion: the opened device-hour (also in the address), what is to be read again.
CELL = "cell"
REREAD_PLAN = "reread_plan"
LINES_SEEN = "lines_seen"
GRID_CHART, CELL_TABLE = "grid", "cells"
