"""Sessions without browsers: Streamlit's own protocol over its WebSocket, as its client speaks it.

A session clicks, waits until the script has finished, and thinks. Between clicks it asks for live
parts as often as the page told it to. ``python -m tests.bench.page_sessions`` runs many of them in
a process of its own and prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from app import identity

#: A click that takes longer counts as an error.
PATIENCE_S = 60
#: A server that was just started answers most clicks for the first time for so long.
COLD_S = 60
#: The server that answered before another one tidies up for a moment, on the same cores.
REST_S = 0.2
LATE = f"not within {PATIENCE_S} s"
MOST_BYTES = 1 << 28
#: The page that answers at "/" alone.
HOME = "home"


def cookie(key: str, username: str) -> str:
    """What a signed-in browser sends: signed as the app signs it."""
    expires = datetime.now(UTC) + timedelta(days=1)
    claims = {"username": f"{username}#1", "exp_date": expires.timestamp()}
    return jwt.encode(claims, key, algorithm=identity.COOKIE_METHOD)


@dataclass
class Session:
    """One person at a server: pages by their name, the widgets that were drawn last."""

    url: str
    token: str
    #: Address that the connection comes from.
    source: str = "127.0.0.1"
    pages: dict[str, str] = field(default_factory=dict)
    selects: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    received: int = 0
    _live: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _done: asyncio.Event = field(default_factory=asyncio.Event)
    _states: dict[str, str] = field(default_factory=dict)
    _page: str = ""

    async def __aenter__(self) -> Session:
        address = self.url.replace("http", "ws") + "/_stcore/stream"
        headers = {"Cookie": f"{identity.COOKIE}={self.token}"}
        self._socket: ClientConnection = await connect(
            address,
            additional_headers=headers,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=MOST_BYTES,
            local_addr=(self.source, 0),
            ping_interval=None,  # a server that is slow to answer is measured, not left
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (*self._live.values(), self._reader):
            task.cancel()
        await self._socket.close()

    async def open(self, address: str = "") -> float:
        """Seconds until the script of an address has finished."""
        message = BackMsg()
        message.rerun_script.page_name = address
        return await self._timed(message)

    async def switch(self, name: str) -> float:
        """The same for a click on a page in the menu."""
        for task in self._live.values():
            task.cancel()
        self._live.clear()
        self._page = self.pages[name]
        return await self._timed(self._rerun())

    async def choose(self, label: str, option: str) -> float:
        """The same for another choice in a select box."""
        self._states[self.selects[label][0]] = option
        return await self._timed(self._rerun())

    def _rerun(self, fragment: str = "") -> BackMsg:
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash = self._page
        if fragment:
            state.fragment_id = fragment
            state.is_auto_rerun = True
        for name, value in self._states.items():
            state.widget_states.widgets.add(id=name, string_value=value)
        return message

    async def _timed(self, message: BackMsg) -> float:
        self._done.clear()
        began = time.perf_counter()
        await self._socket.send(message.SerializeToString())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._done.wait()
        except TimeoutError:
            self.errors.append(LATE)
        return time.perf_counter() - began

    async def _read(self) -> None:
        async for data in self._socket:
            message = ForwardMsg()
            message.ParseFromString(data)  # type: ignore[arg-type]
            self.received += len(data)
            self._take(message)

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._done.set()
        elif kind == "navigation":
            # A hidden page is in no menu: its address would be refused.
            found = [page for page in message.navigation.app_pages if not page.is_hidden]
            self.pages = {page.url_pathname or HOME: page.page_script_hash for page in found}
            self._page = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            live = message.auto_rerun
            if live.fragment_id not in self._live:
                task = asyncio.create_task(self._keep_live(live.fragment_id, live.interval))
                self._live[live.fragment_id] = task
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.WhichOneof("type") == "selectbox":
                box = element.selectbox
                self.selects[box.label] = (box.id, list(box.options))
            elif element.WhichOneof("type") == "exception":
                self.errors.append(element.exception.message)

    async def _keep_live(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._socket.send(self._rerun(fragment).SerializeToString())


async def many(
    url: str, tokens: Sequence[str], label: str, clicks: int, think_s: float, seed: int = 1
) -> dict[str, Any]:
    """So many sessions at once, each with its clicks: seconds of every one, and what went wrong."""
    spent: list[float] = []
    early: list[float] = []
    opened: list[float] = []
    began = time.monotonic()
    by_page: dict[str, list[float]] = {}
    errors: list[str] = []

    async def one(number: int, token: str) -> None:
        rng = random.Random(seed + number)
        try:
            await asyncio.sleep(think_s * number / len(tokens))
            async with Session(url, token) as session:
                opened.append(await session.open())
                here = HOME
                for _ in range(clicks):
                    await asyncio.sleep(rng.uniform(0.5, 1.5) * think_s)
                    if rng.random() < 0.3 and label in session.selects:
                        option = rng.choice(session.selects[label][1])
                        spent.append(await session.choose(label, option))
                    else:
                        here = rng.choice([name for name in session.pages if name != here])
                        spent.append(await session.switch(here))
                    by_page.setdefault(here, []).append(spent[-1])
                    if time.monotonic() - began < COLD_S:
                        early.append(spent[-1])
                errors.extend(session.errors)
        except (OSError, WebSocketException) as error:
            errors.append(str(error))

    await asyncio.gather(*(one(number, token) for number, token in enumerate(tokens)))
    found = {"seconds": spent, "early": early, "opened": opened}
    return {**found, "errors": errors, "by_page": by_page}


async def alone(
    urls: dict[str, str], token: str, pages: Sequence[str], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """One session at each of several servers, in turn: seconds of every page's script."""
    spent: dict[str, dict[str, list[float]]] = {}
    for name in pages:
        async with Sessions(urls, token) as sessions:
            for session in sessions.values():
                await session.open()
            for number in range(rounds + 1):
                for where, session in sessions.items():
                    await asyncio.sleep(REST_S)
                    took = await session.switch(name)
                    if number:  # the first fills the caches
                        spent.setdefault(where, {}).setdefault(name, []).append(took)
    return spent


class Sessions:
    """A session at each server, by the server's name; a context manager."""

    def __init__(self, urls: dict[str, str], token: str) -> None:
        self._sessions = {name: Session(url, token) for name, url in urls.items()}

    async def __aenter__(self) -> dict[str, Session]:
        for session in self._sessions.values():
            await session.__aenter__()
        return self._sessions

    async def __aexit__(self, *_: object) -> None:
        for session in self._sessions.values():
            await session.__aexit__()


def main(words: str) -> None:
    """Run the sessions that a JSON object describes."""
    print(json.dumps(asyncio.run(many(**json.loads(words)))))


if __name__ == "__main__":
    main(sys.argv[1])
