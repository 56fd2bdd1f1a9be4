"""The README's screenshots, taken from a demo: ``make screenshots``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from app.access import OPERATIONS, PAGES
from app.text import say
from pipeline.settings import load
from pipeline.storage import people
from pipeline.storage.ledger import open_ledger
from tests.browser.conftest import FLAGS, PASSWORD, ROOT, Visit, chromium, environment, serving

FOLDER = ROOT / "docs" / "screenshots"
#: A page is quiet once its charts are drawn; nothing on it tells from outside.
SETTLED_MS = 3_000


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        home = Path(os.environ.get("DEMO_HOME", f"{name}/home"))
        if not home.exists():
            words = [sys.executable, "-m", "app.cli", "demo", "--no-serve"]
            subprocess.run(words, env=environment(home), cwd=ROOT, check=True)
        ledger = open_ledger(load(home=home))
        if not any(user.username == "the-admin" for user in people.list_users(ledger)):
            people.add_user(ledger, "the-admin", "Admin", "admin", PASSWORD)
        ledger.close()
        with serving(home, "--no-worker") as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            tab = browser.new_context(viewport={"width": 1366, "height": 900}).new_page()
            visit = Visit(tab, server.url)
            visit.open("home")
            visit.sign_in("admin")
            tab.get_by_test_id("stSidebarNav").wait_for(timeout=30_000)
            tab.wait_for_timeout(SETTLED_MS)  # the cookie is set after the first run
            for page in PAGES:
                if page.section != OPERATIONS and page.name != "ingestion":
                    continue
                visit.open(page.name)
                visit.heading(say(f"{page.name}.title"))
                tab.wait_for_timeout(SETTLED_MS)
                tab.screenshot(path=FOLDER / f"{page.name}.png")
                print(f"docs/screenshots/{page.name}.png")
            browser.close()


if __name__ == "__main__":
    main()
