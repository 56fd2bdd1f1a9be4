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
#: By case: how many reviews were sent from here, and the newest one known when its form was drawn.
REVIEW_FORMS = "review_forms"

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
