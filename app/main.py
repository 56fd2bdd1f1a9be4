"""The router: who asks, which page, and only then the page.

The order of the steps matters (measured with this Streamlit and this authenticator): navigation is
declared before the authenticator exists, with every page while nobody is signed in, so that an
address survives the sign-in; and nothing runs after the form.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import access, auth, language, panels
from app.text import say

language.settle()
st.set_page_config(
    page_title=say("app.name"), page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide"
)

panels.frame()
house, user = panels.present()

pages = {
    page.name: st.Page(
        page.path,
        title=say(f"{page.name}.title") if user else say("app.name"),
        icon=page.icon,
        default=page is access.HOME,
        visibility="visible" if user and access.opens(user, page.name) else "hidden",
    )
    for page in access.PAGES
}
chosen = st.navigation(panels.menu(pages, user), position="sidebar" if user else "hidden")

if house is None:
    panels.ledger_away()
elif user is None:
    panels.sign_in_frame()
    panels.administration.told()
    if panels.setup.asked(house):
        panels.setup.form(house)
    else:
        auth.sign_in(house)
elif panels.account(user):
    auth.sign_out(house, user)
else:
    language.remember()
    panels.lake_state(house.settings.zone)
    name = next(key for key, page in pages.items() if page == chosen)
    panels.run(chosen, access.opens(user, name), pages[access.HOME.name])
    panels.foot()
