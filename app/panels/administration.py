"""Forms of the administration: what is filled in goes to ``app/data``, which checks and audits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import polars as pl
import streamlit as st

from app import access, auth, data, figures, state, tables
from app.backend import backend
from app.data.upload import Upload
from app.tables.columns import safe_csv
from app.text import plain, say
from pipeline.errors import UsageError
from pipeline.storage.ladder import LONGEST_REASON, LONGEST_STEP, MOST_STEPS, LadderRefused
from pipeline.storage.people import ROLES
from queries.admin import AuditFilter

#: Wrong lines of a file that are shown.
MOST_ERRORS = 20
ERROR_LENGTH = 300


def may(action: str) -> bool:
    """Whether the signed-in person may do it: else its form is not shown."""
    user = auth.current(backend())
    return user is not None and access.may(user, action)


def told() -> None:
    """What the last action came to, once."""
    message = st.session_state.pop(state.TOLD, None)
    if message:
        st.success(message, icon=":material/check_circle:")


def tried(work: Callable[[], object], done: str, **values: object) -> None:
    """Do it and draw the page anew, or say in a sentence why it cannot be done."""
    try:
        work()
    except UsageError as error:
        _complain(str(error))
    else:
        st.session_state[state.TOLD] = say(done, **values)
        st.rerun()


def _complain(*sentences: str) -> None:
    shown = [plain(text, ERROR_LENGTH) for text in sentences[:MOST_ERRORS]]
    if len(sentences) > MOST_ERRORS:
        shown.append(say("admin.more_errors", number=len(sentences) - MOST_ERRORS))
    st.error("  \n".join(shown), icon=":material/error:")


def _upload(key: str) -> Upload | None:
    file = st.file_uploader(say("admin.file"), type="csv", key=f"{key}_file")
    return None if file is None else Upload(file.name, file.getvalue())


def device_import() -> None:
    """A register as a CSV file."""
    with st.form("device_import", clear_on_submit=True, border=True):
        st.caption(say("devices.import.columns"))
        upload = _upload("devices")
        if st.form_submit_button(say("admin.import")):
            _imported(upload, data.devices.take_in, "devices.imported")


def downtime_import() -> None:
    """A log as a CSV file, and the days that it covers."""
    with st.form("downtime_import", clear_on_submit=True, border=True):
        st.caption(say("downtime.import.columns"))
        upload = _upload("downtime")
        left, right = st.columns(2)
        first = left.date_input(say("downtime.import.first"), value=None, format="YYYY-MM-DD")
        last = right.date_input(say("downtime.import.last"), value=None, format="YYYY-MM-DD")
        if st.form_submit_button(say("admin.import")):
            _imported(
                upload, lambda file: data.downtime.take_in(file, first, last), "downtime.imported"
            )


def _imported(upload: Upload | None, take_in: Callable[[Upload], Any], done: str) -> None:
    """All rows, or none and a sentence for each that is wrong."""
    if upload is None:
        _complain(say("admin.no_file"))
        return
    try:
        result = take_in(upload)
    except UsageError as error:
        _complain(str(error))
        return
    if result.errors:
        _complain(say("admin.nothing_imported"), *result.errors)
        return
    st.session_state[state.TOLD] = say(done, rows=result.imported)
    st.rerun()


def device(row: dict[str, Any]) -> None:
    """Until when a device is expected to deliver."""
    ends = date.fromisoformat(row["valid_to"]) if row["valid_to"] else None
    with st.form(f"device {row['deviceid']} {row['valid_from']}"):
        st.markdown(
            say("devices.edit", device=plain(row["deviceid"]), first=plain(row["valid_from"]))
        )
        last = st.date_input(say("devices.edit.last"), value=ends, format="YYYY-MM-DD")
        if st.form_submit_button(say("admin.save")):
            tried(
                lambda: data.devices.set_validity(
                    row["deviceid"], row["valid_from"], last.isoformat() if last else None
                ),
                "admin.saved",
            )


def threshold(frame: pl.DataFrame) -> None:
    """Another value for a threshold, and why."""
    rows = {row["name"]: row for row in frame.to_dicts()}
    name = st.selectbox(say("thresholds.which"), list(rows), key="threshold")
    row = rows[name]
    with st.form(f"threshold {name}"):
        st.caption(say("thresholds.limits", **{key: row[key] for key in ("low", "high", "unit")}))
        value = st.number_input(say("thresholds.value"), value=row["value"], format="%g")
        reason = st.text_input(say("thresholds.reason"), max_chars=500)
        if st.form_submit_button(say("thresholds.change")):
            tried(lambda: data.thresholds.change(name, value, reason), "thresholds.changed")


def ladder(in_force: Sequence[str]) -> None:
    """Another ladder of actions, a step a line, and why."""
    words = [figures.fatigue.step(one) for one in in_force]
    st.markdown(" → ".join(f"**{plain(one)}**" for one in words))
    sent, seen = st.session_state.setdefault(state.LADDER_FORM, (0, in_force))
    with st.form(f"ladder {sent}"):
        text = st.text_area(
            say("ladder.steps"), "\n".join(words), max_chars=2_000, key=f"ladder.steps {sent}"
        )
        reason = st.text_input(
            say("thresholds.reason"), max_chars=LONGEST_REASON, key=f"ladder.reason {sent}"
        )
        given = st.form_submit_button(say("thresholds.change"))
    if not given:
        return
    try:
        data.ladder.change(figures.administration.steps(text), reason, seen)
    except LadderRefused as refused:
        # What was filled in stays; now that the newest ladder was seen it may be sent again.
        st.session_state[state.LADDER_FORM] = sent, in_force
        limits = {"most": MOST_STEPS, "longest": LONGEST_STEP}
        _complain(say(f"ladder.refused.{refused.why}", step=refused.step, **limits))
    else:
        st.session_state[state.LADDER_FORM] = sent + 1, data.ladder.in_force(data.ladder.PAGE)
        st.session_state[state.TOLD] = say("ladder.changed")
        st.rerun()


def new_user(districts: Sequence[str], known: int) -> None:
    """Somebody new; ``known``: how many there are. With one more the form is an empty one."""
    with st.form(f"new_user {known}"):
        left, right = st.columns(2)
        username = left.text_input(say("users.username"), max_chars=64)
        name = right.text_input(say("users.name"), max_chars=100)
        role = left.selectbox(say("users.role"), ROLES, format_func=_role)
        bound = right.multiselect(say("users.districts"), districts)
        password = left.text_input(say("users.password"), type="password")
        again = right.text_input(say("users.again"), type="password")
        st.caption(say("users.password.rules"))
        if st.form_submit_button(say("users.add.submit")):
            tried(
                lambda: data.users.add(username, name, role, same(password, again), bound),
                "users.added",
            )


def user(row: dict[str, Any], districts: Sequence[str]) -> None:
    """The rights of somebody, their password, and the way out."""
    username = row["username"]
    st.markdown(f"**{plain(username)}** · {plain(row['name'])}")
    rights, secret = st.columns(2)
    with rights.form(f"rights {username}"):
        role = st.selectbox(
            say("users.role"), ROLES, index=ROLES.index(row["role"]), format_func=_role
        )
        now = [name for name in row["districts"].split(", ") if name]
        bound = st.multiselect(say("users.districts"), sorted({*districts, *now}), default=now)
        if st.form_submit_button(say("admin.save")):
            tried(lambda: _rights(row, now, role, bound), "admin.saved")
    with secret.form(f"password {username}", clear_on_submit=True):
        password = st.text_input(say("users.password"), type="password")
        again = st.text_input(say("users.again"), type="password")
        if st.form_submit_button(say("users.password.set")):
            tried(
                lambda: data.users.set_password(username, same(password, again)),
                "users.password.done",
            )
    wanted = not row["disabled"]
    label, icon = ("users.disable", "person_off") if wanted else ("users.enable", "person")
    if st.button(say(label), icon=f":material/{icon}:"):
        tried(lambda: data.users.set_disabled(username, wanted), "admin.saved")


def _rights(row: dict[str, Any], now: list[str], role: str, bound: list[str]) -> None:
    if role != row["role"]:
        data.users.set_role(row["username"], role)
    if sorted(bound) != sorted(now):
        data.users.set_districts(row["username"], bound)


def _role(role: str) -> str:
    return say(f"role.{role}")


def audit_export(wanted: AuditFilter, zone: str) -> None:
    """The way to a file of every entry that matches; it is made when it is asked for."""
    if may("export audit"):
        export = data.audit.exporter(wanted)
        st.download_button(
            say("download.csv"),
            lambda: safe_csv(tables.administration.audit(export(), zone)),
            file_name=f"{data.audit.PAGE}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            type="tertiary",
        )


def same(password: str, again: str) -> str:
    """The password that was typed twice. Raises UsageError when these differ."""
    if password != again:
        raise UsageError(say("users.differ"))
    return password
