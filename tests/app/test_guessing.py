"""A thousand tries at the sign-in form of a real server, over Streamlit's own WebSocket."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app.text import TABLES
from pipeline.settings import load
from pipeline.storage import people, sign_in
from pipeline.storage import tables as t
from pipeline.storage.ledger import open_ledger
from tests.bench import page_sessions
from tests.browser.conftest import serving

PASSWORD = "correct-horse-battery"
TRIES, AT_ONCE = 1_000, 8
WORDS = TABLES["en"]


@dataclass
class Form(page_sessions.Session):
    """The form as somebody sees it who is not signed in, and what it says."""

    inputs: dict[str, str] = field(default_factory=dict)
    button: str = ""
    said: str = ""

    def _take(self, message: ForwardMsg) -> None:
        super()._take(message)
        if message.WhichOneof("type") != "delta":
            return
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "text_input":
            self.inputs[element.text_input.label] = element.text_input.id
        elif kind == "button" and element.button.is_form_submitter:
            self.button = element.button.id
        elif kind == "alert":
            self.said = element.alert.body

    async def try_with(self, username: str, password: str) -> float:
        """Seconds until the answer to a name and a password is there."""
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash = self._page
        values = {WORDS["sign_in.user"]: username, WORDS["sign_in.password"]: password}
        for label, value in values.items():
            state.widget_states.widgets.add(id=self.inputs[label], string_value=value)
        state.widget_states.widgets.add(id=self.button, trigger_value=True)
        return await self._timed(message)


async def guess(url: str, names: list[str]) -> dict[str, Any]:
    """All tries, a few at once, while somebody else asks whether the server lives."""
    waits: list[str] = []
    alive: list[float] = []
    left = iter(range(TRIES))
    over, port = asyncio.Event(), int(url.rsplit(":", 1)[-1])

    async def attacker() -> None:
        async with Form(url, "") as form:
            await form.open()
            for number in left:
                await form.try_with(names[number % len(names)], f"guess {number}")
                waits.append(form.said)
            assert form.errors == []

    async def neighbour() -> None:
        while not over.is_set():
            began = time.perf_counter()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert b" 200 " in (await reader.read()).split(b"\r\n")[0]
            writer.close()
            alive.append(time.perf_counter() - began)
            await asyncio.sleep(0.5)

    async def colleague() -> str:
        """The right password, from another address, in the midst of it."""
        await asyncio.sleep(5)
        async with Form(url, "", source="127.0.0.2") as form:
            await form.open()
            await form.try_with(names[0], PASSWORD)
            await form.open()
            return ",".join(sorted(form.pages))

    asking = asyncio.create_task(neighbour())
    began = time.perf_counter()
    pages, *_ = await asyncio.gather(colleague(), *(attacker() for _ in range(AT_ONCE)))
    took = time.perf_counter() - began
    over.set()
    await asking
    return {"waits": waits, "alive": sorted(alive), "pages": pages, "seconds": took}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_thousand_tries_at_the_form(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ledger = open_ledger(load(home=home))
    names = [f"user{number:02}" for number in range(20)]
    for name in names:
        people.add_user(ledger, name, name, people.ROLES[0], PASSWORD)
    with serving(home, "--no-worker") as server:
        found = asyncio.run(guess(server.url, names))
        assert server.answer("/healthz")[0] == 200
    print({"seconds": round(found["seconds"], 1), "healthz_worst_s": round(found["alive"][-1], 2)})
    assert len(found["waits"]) == TRIES
    wrong = found["waits"].count(WORDS["sign_in.wrong"])
    looked_at = sign_in.FREE_TRIES_ADDRESS + found["seconds"] / 2 + AT_ONCE
    assert wrong <= looked_at
    assert all(said for said in found["waits"])
    assert "fatigue_events" in found["pages"]
    assert found["alive"][-1] < 2
    with ledger.read() as connection:
        s = t.sign_ins.c
        right = connection.execute(select(s.address).where(s.ok)).scalars().all()
        tried = connection.execute(select(func.count()).select_from(t.sign_ins)).scalar_one()
    assert right == ["127.0.0.2"]
    assert tried <= looked_at
    ledger.close()
